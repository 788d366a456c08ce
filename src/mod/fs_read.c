/* read(path, limit): a whole file. The first buffer is enough for most files,
 * which then take one job; the loop's thread makes room for more, since the
 * host's memory is its own. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/args.h"
#include "../core/error.h"
#include "fs.h"
#include "fs_call.h"
#include "fs_io.h"

enum { FIRST_CAPACITY = 16384 };

struct read_call {
  struct luge_fs_call call;
  size_t limit;
  size_t wanted; /* the size that the file says it has, and one byte more */
  char *bytes;
  size_t length, capacity; /* at most limit + 1 */
  int fd;                  /* -1: not open */
  bool ended;
};

static int open_call(struct read_call *call) {
  struct stat status;
  int error = luge__place_open(&call->call.at, O_RDONLY, 0, &call->fd);
  if (error == 0 && fstat(call->fd, &status) != 0) {
    error = errno;
  }
  if (error == 0 && S_ISREG(status.st_mode)) {
    call->wanted = (size_t)status.st_size + 1;
  }
  return error;
}

static void close_call(struct read_call *call) {
  if (call->fd >= 0) {
    close(call->fd);
    call->fd = -1;
  }
}

/* Ends when the file does, when the buffer is full, or with an error. */
static void work(struct luge_job *job) {
  struct read_call *call = (struct read_call *)job;
  int error = call->fd < 0 ? open_call(call) : 0;
  while (error == 0 && !call->ended && call->length < call->capacity) {
    size_t count;
    error = luge__fs_read_full(job, call->fd, call->bytes + call->length,
                               call->capacity - call->length, -1, &count);
    call->length += count;
    call->ended = error == 0 && count == 0;
  }
  if (error != 0 || call->ended) {
    close_call(call);
  }
  call->call.error = error;
}

static int raise_limit(lua_State *L, const struct read_call *call) {
  luge__push_error(L, "limit", "%s is longer than %I bytes", call->call.path,
                   (LUAI_UACINT)call->limit);
  luge__set_limit(L, "bytes", (lua_Integer)call->limit);
  lua_pushstring(L, call->call.path);
  lua_setfield(L, -2, "path");
  return lua_error(L);
}

/* Twice as much, or what the file's size asks for, or what the limit allows. */
static void grow(lua_State *L, struct read_call *call) {
  size_t capacity = call->capacity * 2;
  capacity = capacity < call->wanted ? call->wanted : capacity;
  capacity = capacity > call->limit ? call->limit + 1 : capacity;
  char *bytes =
      luge__realloc(call->call.job.host, call->bytes, call->capacity, capacity);
  if (bytes == NULL) {
    luge__raise_memory(L);
  }
  call->bytes = bytes;
  call->capacity = capacity;
}

static int done(lua_State *L, struct luge_job *job) {
  struct read_call *call = (struct read_call *)job;
  luge__fs_check(L, &call->call);
  if (call->length > call->limit) {
    return raise_limit(L, call);
  }
  if (!call->ended) {
    grow(L, call);
    return luge__job_run(L, job);
  }
  lua_pushlstring(L, call->bytes, call->length);
  return 1;
}

static void free_call(struct luge_job *job) {
  struct read_call *call = (struct read_call *)job;
  close_call(call);
  luge__realloc(job->host, call->bytes, call->capacity, 0);
  luge__fs_free(job);
}

int luge__fs_read(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("a file to be read"),
                                            work, done, free_call};
  static const struct luge_fs_use use = {.verb = "read",
                                         .first = LUGE_OP_FS_READ};
  lua_Integer limit = luge__check_integer(L, 2, 0, "a number of bytes");
  struct read_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  size_t room = (size_t)limit + 1;
  call->fd = -1;
  call->limit = (size_t)limit;
  room = room < FIRST_CAPACITY ? room : FIRST_CAPACITY;
  call->bytes = luge__alloc(L, room);
  call->capacity = room;
  return luge__fs_run(L, &call->call);
}
