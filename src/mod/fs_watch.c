/* Watching a file or a directory by uv_fs_event. What has happened is kept, in
 * a ring of fixed size, until a task asks; what it has no room for is told as
 * one event, "overflow". The handle's memory belongs to a small userdata until
 * that closes it; then to its close callback. Loop thread only. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/permission.h"
#include "../core/place.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "fs.h"
#include "fs_call.h"

enum { EVENTS = 256, LONGEST_NAME = 256 };

struct event {
  const char *kind;
  char name[LONGEST_NAME];
};

struct watch {
  uv_fs_event_t handle;
  struct luge_host *host;
  struct luge_list waiters;
  unsigned first, count; /* of the ring */
  bool overflow;
  int error;      /* a negative errno: nothing more comes */
  char alias[16]; /* what libuv calls what is watched itself; "" */
  struct event events[EVENTS];
};

struct box {
  struct watch *watch; /* NULL: closed */
};

static const struct luge_class watch_class = {"a file watch"};

static struct box *check(lua_State *L) {
  return luge__class_check(L, 1, &watch_class);
}

static void on_closed(uv_handle_t *handle) {
  struct watch *watch = luge__container(handle, struct watch, handle);
  watch->host->handles--;
  luge__realloc(watch->host, watch, sizeof *watch, 0);
}

static void add_event(struct watch *watch, const char *name, int events) {
  if (watch->count == EVENTS) {
    watch->overflow = true;
    return;
  }
  struct event *event = &watch->events[(watch->first + watch->count) % EVENTS];
  watch->count++;
  event->kind = (events & UV_RENAME) != 0 ? "rename" : "change";
  if (name != NULL && strcmp(name, watch->alias) == 0) {
    name = NULL;
  }
  size_t length = name != NULL ? strnlen(name, LONGEST_NAME - 1) : 0;
  memcpy(event->name, name != NULL ? name : "", length);
  event->name[length] = '\0';
}

static void on_event(uv_fs_event_t *handle, const char *name, int events,
                     int status) {
  struct watch *watch = luge__container(handle, struct watch, handle);
  if (status < 0) {
    watch->error = status;
  } else {
    add_event(watch, name, events);
  }
  luge__waiters_wake_one(&watch->waiters);
}

/* next() -> "rename", "change" or "overflow", and the name of the entry that
 * it happened to, "" if it is not told; nothing once it is closed */

static int take(lua_State *L, struct watch *watch) {
  if (watch->count == 0 && watch->overflow) {
    watch->overflow = false;
    lua_pushliteral(L, "overflow");
    lua_pushliteral(L, "");
    return 2;
  }
  const struct event *event = &watch->events[watch->first];
  lua_pushstring(L, event->kind);
  lua_pushstring(L, event->name);
  watch->first = (watch->first + 1) % EVENTS;
  watch->count--;
  return 2;
}

static int on_woken(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {.name = "a change of a file",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_woken};
  struct watch *watch = ((struct box *)lua_touserdata(L, 1))->watch;
  (void)base;
  if (watch == NULL) {
    return 0;
  }
  if (watch->count > 0 || watch->overflow) {
    return take(L, watch);
  }
  if (watch->error != 0) {
    return luge__fs_raise(L, "watch", lua_tostring(L, 2), NULL, -watch->error);
  }
  return luge__waiters_join(L, task, &watch->waiters, &kind);
}

/* The path is for messages. */
static int watch_next(lua_State *L) {
  check(L);
  struct luge_task *task = luge__enter(L);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  return on_woken(L, task, 2);
}

static int watch_close(lua_State *L) {
  struct box *box = check(L);
  struct watch *watch = box->watch;
  if (watch != NULL) {
    box->watch = NULL;
    luge__waiters_wake_all(&watch->waiters);
    luge__unref_listener(watch->host);
    uv_close((uv_handle_t *)&watch->handle, on_closed);
  }
  return 0;
}

/* Once the handle is made it is to be closed whatever comes. */
static int start(struct luge_host *host, struct watch *watch,
                 const char *path) {
  int status = uv_fs_event_init(host->loop, &watch->handle);
  if (status != 0) {
    luge__realloc(host, watch, sizeof *watch, 0);
    return status;
  }
  host->handles++;
  status = uv_fs_event_start(&watch->handle, on_event, path, 0);
  if (status != 0) {
    uv_close((uv_handle_t *)&watch->handle, on_closed);
  }
  return status;
}

/* The object that was decided about, whatever its path leads to by now: libuv
 * takes no descriptor, but a name for one. Returns an errno. */
static int start_at(struct luge_host *host, struct watch *watch,
                    const struct luge_place *place) {
#if defined(__linux__)
  char name[32];
  int fd = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    luge__realloc(host, watch, sizeof *watch, 0);
    return errno;
  }
  snprintf(watch->alias, sizeof watch->alias, "%d", fd);
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  int status = start(host, watch, name);
  close(fd);
  return -status;
#else
  return -start(host, watch, place->path);
#endif
}

int luge__fs_watch(lua_State *L) {
  size_t length;
  const char *path = luge__fs_check_path(L, 1, &length);
  struct luge_host *host = luge__host(L);
  struct box *box = luge__class_new(L, &watch_class, sizeof *box, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  int error;
  struct luge_place *place =
      luge__permit_place(L, LUGE_OP_FS_WATCH, LUGE_OP_NONE, path, true, &error);
  if (error != 0) {
    return luge__fs_raise(L, "watch", path, NULL, error);
  }
  struct watch *watch = luge__alloc_zeroed(L, sizeof *watch);
  watch->host = host;
  luge__list_init(&watch->waiters);
  error = place->path != NULL ? start_at(host, watch, place)
                              : -start(host, watch, path);
  luge__place_leave(place);
  if (error != 0) {
    return luge__fs_raise(L, "watch", path, NULL, error);
  }
  box->watch = watch;
  luge__ref_listener(host);
  lua_pop(L, 1);
  return 1;
}

void luge__fs_watch_init(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"next", watch_next}, {"close", watch_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", watch_close}, {"__close", watch_close}, {NULL, NULL}};
  luge__class_init(L, &watch_class, methods, metamethods);
}
