/* Open files. The userdata is a box around a job, the one that will close the
 * file: so closing needs no memory, and a file that is collected is closed on
 * the pool. What is under way uses the descriptor: `users` counts it, and the
 * last one closes a file whose owner has gone. The place to read and write is
 * the userdata's business, so that a cancelled read does not move it. */
#include "fs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/args.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/permission.h"
#include "fs.h"
#include "fs_io.h"
#include "fs_remove.h"

static const struct luge_class file_class = {"an open file"};

struct file_call {
  struct luge_job job;
  struct luge_file *file;
  int error;
  const char *verb;
  char *bytes;
  size_t length;   /* to be read or written */
  size_t capacity; /* of `bytes` */
  bool cuts;       /* to `length`, and does not lock */
  struct stat status;
};

static bool is_open(const struct luge_file *file) {
  return file != NULL && !file->closing;
}

static struct luge_file *check_file(lua_State *L) {
  struct luge_job_box *box = luge__class_check(L, 1, &file_class);
  struct luge_file *file = (struct luge_file *)box->job;
  if (!is_open(file)) {
    luge__raise(L, "closed", "the file is closed");
  }
  return file;
}

/* Closing. */

static void work_close(struct luge_job *job) {
  struct luge_file *file = (struct luge_file *)job;
  if (file->fd >= 0) {
    file->call.error = luge__fs_close(file->fd);
    file->fd = -1;
  }
  if (file->temporary) {
    atomic_store(&job->abandoned, false);
    luge__fs_remove_tree(job, &file->call.at);
    file->temporary = false;
  }
}

static int done_close(lua_State *L, struct luge_job *job) {
  struct luge_file *file = (struct luge_file *)job;
  int error = file->call.error;
  file->call.error = 0; /* is told here */
  return error == 0
             ? 0
             : luge__fs_raise(L, file->call.verb, file->name, NULL, error);
}

/* What nobody waited for may have failed. */
static void free_closed(struct luge_job *job) {
  const struct luge_file *file = (struct luge_file *)job;
  if (file->call.error != 0) {
    char text[64], message[512];
    uv_strerror_r(-file->call.error, text, sizeof text);
    snprintf(message, sizeof message, "io: cannot close %.400s: %s", file->name,
             text);
    luge__report_text(job->host, message, NULL);
  }
  luge__fs_free(job);
}

static const struct luge_job_kind close_kind = {
    luge__job_wait("a file to be closed"), work_close, done_close, free_closed};

void luge__file_let_go(struct luge_file *file) {
  struct luge_job *job = &file->call.job;
  file->closing = true;
  if (job->box != NULL) {
    job->box->job = NULL;
    job->box = NULL;
  }
  if (file->users == 0) {
    luge__job_post(job);
  }
}

static int file_gc(lua_State *L) {
  struct luge_job_box *box = lua_touserdata(L, 1);
  struct luge_file *file = (struct luge_file *)box->job;
  if (file == NULL) {
    return 0;
  }
  if (file->call.job.running) { /* frees itself */
    box->job = NULL;
    file->call.job.box = NULL;
    file->call.job.task = NULL;
  } else { /* also where closing it has failed: then only to be freed */
    luge__file_let_go(file);
  }
  return 0;
}

/* close(): waits, and raises if closing fails. If a read or write that was
 * cancelled is still at work, that closes the file instead; where nothing may
 * wait, the pool does. The host is told if that fails. */
static int file_close(lua_State *L) {
  struct luge_job_box *box = luge__class_check(L, 1, &file_class);
  struct luge_file *file = (struct luge_file *)box->job;
  if (!is_open(file)) {
    return 0;
  }
  if (file->users > 0 || !luge__can_wait(L)) {
    luge__file_let_go(file);
    return 0;
  }
  luge__enter(L);
  file->closing = true;
  return luge__job_run(L, &file->call.job);
}

/* Operations. */

/* Uses the file no more, which may have been the last thing that kept it open.
 */
static void leave(struct file_call *call) {
  struct luge_file *file = call->file;
  call->file = NULL;
  if (file != NULL && --file->users == 0 && file->closing) {
    luge__job_post(&file->call.job);
  }
}

static void free_call(struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  luge__realloc(job->host, call->bytes, call->capacity, 0);
  leave(call);
}

static struct file_call *new_call(lua_State *L, struct luge_file *file,
                                  const struct luge_job_kind *kind,
                                  const char *verb) {
  struct file_call *call = luge__job_new(L, kind, sizeof *call);
  call->file = file;
  call->verb = verb;
  file->users++;
  return call;
}

static void *reserve(lua_State *L, struct file_call *call, size_t size) {
  call->bytes = luge__alloc(L, size);
  call->capacity = size;
  call->length = size;
  return call->bytes;
}

/* What has failed is garbage, and not to be waited for by who closes the file.
 */
static int raise_failed(lua_State *L, struct file_call *call) {
  const char *name = call->file->name;
  leave(call);
  return luge__fs_raise(L, call->verb, name, NULL, call->error);
}

/* read(n) -> at most n bytes, fewer only at the end of the file or of what has
 * come through a pipe; nil at the end */

static void work_read(struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  call->error =
      luge__fs_read_full(job, call->file->fd, call->bytes, call->length,
                         call->file->position, &call->length);
}

static void move_on(struct file_call *call) {
  if (call->file->position >= 0) {
    call->file->position += (int64_t)call->length;
  }
}

static int done_read(lua_State *L, struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  if (call->error != 0) {
    return raise_failed(L, call);
  }
  if (call->length == 0) {
    lua_pushnil(L);
  } else {
    lua_pushlstring(L, call->bytes, call->length);
    move_on(call);
  }
  return 1;
}

static int file_read(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("bytes of a file"),
                                            work_read, done_read, free_call};
  struct luge_file *file = check_file(L);
  lua_Integer size = luge__check_integer(L, 2, 1, "a number of bytes");
  struct file_call *call = new_call(L, file, &kind, "read");
  reserve(L, call, (size_t)size);
  return luge__job_run(L, &call->job);
}

/* write(data) */

static void work_write(struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  int64_t position = call->file->appends ? -1 : call->file->position;
  call->error = luge__fs_write_full(job, call->file->fd, call->bytes,
                                    call->length, position);
}

static int done_write(lua_State *L, struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  if (call->error != 0) {
    return raise_failed(L, call);
  }
  move_on(call);
  return 0;
}

static int file_write(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be written"), work_write, done_write,
      free_call};
  struct luge_file *file = check_file(L);
  size_t length;
  const char *data = luaL_checklstring(L, 2, &length);
  if (length == 0) {
    return 0;
  }
  struct file_call *call = new_call(L, file, &kind, "write to");
  memcpy(reserve(L, call, length), data, length);
  return luge__job_run(L, &call->job);
}

/* sync(): what was written is on the disk. stat(): a table. */

/* The system tells once that it could not write something, and forgets it: what
 * was lost stays so, whatever is said the next time. */
static void work_sync(struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  struct luge_file *file = call->file;
  if (fsync(file->fd) != 0) {
    atomic_store(&file->lost, errno);
  }
  call->error = atomic_load(&file->lost);
}

static int done_sync(lua_State *L, struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  return call->error != 0 ? raise_failed(L, call) : 0;
}

static void work_stat(struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  call->error = fstat(call->file->fd, &call->status) == 0 ? 0 : errno;
}

static int done_stat(lua_State *L, struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  if (call->error != 0) {
    return raise_failed(L, call);
  }
  luge__fs_push_stat(L, &call->status);
  return 1;
}

static int file_sync(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("the disk"),
                                            work_sync, done_sync, free_call};
  struct luge_file *file = check_file(L);
  return luge__job_run(L, &new_call(L, file, &kind, "synchronize")->job);
}

static int file_stat(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("a file's status"),
                                            work_stat, done_stat, free_call};
  struct luge_file *file = check_file(L);
  if (lua_getiuservalue(L, 1, 1) == LUA_TSTRING) {
    luge__permit(L, LUGE_OP_FS_STAT, lua_tostring(L, -1));
  }
  return luge__job_run(L, &new_call(L, file, &kind, "find")->job);
}

/* For luge's own modules. lock(): nobody else has the file for as long as it is
 * open; `io` with EAGAIN if somebody does, with another errno where the file
 * system has no locks. truncate(n): the first n bytes are left. */

static void work_lock(struct luge_job *job) {
  struct file_call *call = (struct file_call *)job;
  int result = call->cuts ? ftruncate(call->file->fd, (off_t)call->length)
                          : flock(call->file->fd, LOCK_EX | LOCK_NB);
  call->error = result == 0 ? 0 : errno;
}

static int lock(lua_State *L, bool cuts, lua_Integer length) {
  static const struct luge_job_kind kind = {luge__job_wait("a file's lock"),
                                            work_lock, done_sync, free_call};
  struct file_call *call = new_call(L, check_file(L), &kind, "lock");
  call->cuts = cuts;
  call->length = (size_t)length;
  return luge__job_run(L, &call->job);
}

static int file_lock(lua_State *L) {
  return lock(L, false, 0);
}

static int file_truncate(lua_State *L) {
  return lock(L, true, luge__check_integer(L, 2, 0, "a length"));
}

/* position(n?) -> the place in the file, or nil where there is none; sets it */
static int file_position(lua_State *L) {
  struct luge_file *file = check_file(L);
  if (file->position < 0) {
    lua_pushnil(L);
    return 1;
  }
  if (!lua_isnoneornil(L, 2)) {
    file->position = luge__check_integer(L, 2, 0, "a place, from 0");
  }
  lua_pushinteger(L, file->position);
  return 1;
}

static int file_name(lua_State *L) {
  lua_pushstring(L, check_file(L)->name);
  return 1;
}

struct luge_job_box *luge__file_box(lua_State *L) {
  return luge__class_new(L, &file_class, sizeof(struct luge_job_box), 1);
}

struct luge_file *luge__file_new(lua_State *L, const char *path,
                                 size_t length) {
  struct luge_file *file =
      luge__job_alloc(L, &close_kind, sizeof *file + length + 1);
  file->call.verb = "close";
  file->call.path = file->name = memcpy(file + 1, path, length);
  file->fd = -1;
  return file;
}

void luge__file_publish(struct luge_file *file, struct luge_job_box *box) {
  file->call.job.box = box;
  box->job = &file->call.job;
}

void luge__fs_file_init(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"read", file_read}, {"write", file_write},       {"sync", file_sync},
      {"stat", file_stat}, {"position", file_position}, {"name", file_name},
      {"lock", file_lock}, {"truncate", file_truncate}, {"close", file_close},
      {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", file_gc}, {"__close", file_close}, {NULL, NULL}};
  luge__class_init(L, &file_class, methods, metamethods);
}
