/* write, append and copy. A file is replaced by a new one beside it, which is
 * written, synchronized and renamed: whoever looks, at any moment and after
 * any crash, finds the old contents or the new. What is no regular file (a
 * terminal, /dev/null) is written to as it is. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/error.h"
#include "fs.h"
#include "fs_call.h"
#include "fs_io.h"

/* Of a name that may have 255 bytes; the rest tells temporary files apart. */
enum { KEPT_OF_NAME = 200, ATTEMPTS = 100, COPY_BUFFER = 1 << 18 };

struct write_call {
  struct luge_fs_call call;
  const struct luge_place *target; /* what is written to */
  char *bytes;                     /* a copy of the data */
  size_t length;
  bool sync;
  int source; /* of a copy: its descriptor, and its mode */
  mode_t mode;
};

static int fill_with_bytes(const struct write_call *call, int fd) {
  return luge__fs_write_full(&call->call.job, fd, call->bytes, call->length,
                             -1);
}

static int fill_with_file(const struct write_call *call, int fd) {
  const struct luge_job *job = &call->call.job;
  char *buffer = malloc(COPY_BUFFER);
  size_t count = 1;
  int error = buffer == NULL ? ENOMEM : 0;
  while (error == 0 && count > 0) {
    error =
        luge__fs_read_full(job, call->source, buffer, COPY_BUFFER, -1, &count);
    if (error == 0) {
      error = luge__fs_write_full(job, fd, buffer, count, -1);
    }
  }
  free(buffer);
  return error;
}

static int fill(const struct write_call *call, int fd) {
  return call->source >= 0 ? fill_with_file(call, fd)
                           : fill_with_bytes(call, fd);
}

/* Makes the directory's entry as safe as the contents. Not every file system
 * can synchronize a directory. */
static int sync_directory(const struct luge_place *target) {
  const char *path = target->name, *slash = strrchr(path, '/');
  char *name = slash == NULL   ? strdup(".")
               : slash == path ? strdup("/")
                               : strndup(path, (size_t)(slash - path));
  int fd = name != NULL
               ? openat(target->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
               : -1;
  int error = name == NULL ? ENOMEM : fd < 0 ? errno : 0;
  free(name);
  if (error != 0) {
    return error == EACCES ? 0 : error; /* may be written, but not read */
  }
  error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
  close(fd);
  return error;
}

/* Creates a file beside `target` and its name, to be freed. */
static int create_beside(const struct luge_place *target, mode_t mode,
                         char **name, int *fd) {
  const char *path = target->name, *slash = strrchr(path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  size_t size = strlen(path) + 32;
  *name = malloc(size);
  for (int i = 0; *name != NULL && i < ATTEMPTS; i++) {
    unsigned long long random;
    int status = uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    if (status != 0) {
      return -status;
    }
    snprintf(*name, size, "%.*s.%.*s.%016llx", (int)(base - path), path,
             KEPT_OF_NAME, base, random);
    *fd = openat(target->dir, *name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                 mode);
    if (*fd >= 0 || errno != EEXIST) {
      return *fd >= 0 ? 0 : errno;
    }
  }
  return *name == NULL ? ENOMEM : EEXIST;
}

/* Gives the new file the old one's mode and owner, as far as that is
 * allowed. */
static int keep_status(int fd, const struct stat *old) {
  if (fchown(fd, old->st_uid, old->st_gid) != 0 && errno != EPERM) {
    return errno;
  }
  return fchmod(fd, old->st_mode & 07777) == 0 ? 0 : errno;
}

static int write_new(const struct write_call *call, int fd,
                     const struct stat *old) {
  int error = old != NULL ? keep_status(fd, old) : 0;
  if (error == 0) {
    error = fill(call, fd);
  }
  if (error == 0 && call->sync && fsync(fd) != 0) {
    error = errno;
  }
  int close_error = luge__fs_close(fd);
  return error != 0 ? error : close_error;
}

/* `old` may be NULL: there is none yet. */
static int replace(const struct write_call *call,
                   const struct luge_place *target, const struct stat *old) {
  char *name = NULL;
  int fd = -1;
  int error = create_beside(target, call->mode, &name, &fd);
  if (error == 0) {
    error = write_new(call, fd, old);
    if (error == 0 && atomic_load(&call->call.job.abandoned)) {
      error = ECANCELED;
    }
    if (error == 0 &&
        renameat(target->dir, name, target->dir, target->name) != 0) {
      error = errno;
    }
    if (error != 0) {
      unlinkat(target->dir, name, 0);
    } else if (call->sync) {
      error = sync_directory(target);
    }
  }
  free(name);
  return error;
}

static int write_in_place(const struct write_call *call, int flags) {
  int fd;
  int error = luge__place_open(call->target, O_WRONLY | flags, call->mode, &fd);
  if (error != 0) {
    return error;
  }
  error = fill(call, fd);
  if (error == 0 && call->sync && fsync(fd) != 0 && errno != EINVAL &&
      errno != EROFS) {
    error = errno;
  }
  int close_error = luge__fs_close(fd);
  return error != 0 ? error : close_error;
}

/* Replaces what is at a place that is no link. */
static int replace_at(const struct write_call *call,
                      const struct luge_place *target) {
  struct stat status;
  if (fstatat(target->dir, target->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? replace(call, target, NULL) : errno;
  }
  return S_ISDIR(status.st_mode)   ? EISDIR
         : S_ISLNK(status.st_mode) ? ELOOP
         : S_ISREG(status.st_mode) ? replace(call, target, &status)
                                   : write_in_place(call, 0);
}

/* A symbolic link stays: what it points to is replaced. */
static int replace_or_write(const struct write_call *call) {
  struct stat status;
  if (call->target->path != NULL) {
    return replace_at(call, call->target);
  }
  const char *path = call->target->name;
  char *real = realpath(path, NULL);
  if (real == NULL && errno == ENOENT) {
    if (lstat(path, &status) != 0) {
      return replace(call, call->target, NULL);
    }
    real = luge__real_path(path); /* to where there is nothing yet */
  }
  if (real == NULL) {
    return errno;
  }
  const struct luge_place target = luge__place_here(real);
  int error = replace_at(call, &target);
  free(real);
  return error;
}

static void work_write(struct luge_job *job) {
  struct write_call *call = (struct write_call *)job;
  call->call.error = replace_or_write(call);
}

static void work_append(struct luge_job *job) {
  struct write_call *call = (struct write_call *)job;
  call->call.error = write_in_place(call, O_CREAT | O_APPEND);
}

/* The copy has the mode of the original. */
static int open_source(struct write_call *call) {
  struct stat status;
  int error = luge__place_open(&call->call.at, O_RDONLY, 0, &call->source);
  if (error == 0 && fstat(call->source, &status) != 0) {
    error = errno;
  }
  if (error == 0) {
    call->mode = status.st_mode & 0777;
    error = S_ISDIR(status.st_mode) ? EISDIR : 0;
  }
  return error;
}

static void work_copy(struct luge_job *job) {
  struct write_call *call = (struct write_call *)job;
  int error = open_source(call);
  if (error == 0) {
    error = replace_or_write(call);
  }
  if (call->source >= 0) {
    close(call->source);
  }
  call->call.error = error;
}

static void free_call(struct luge_job *job) {
  struct write_call *call = (struct write_call *)job;
  luge__realloc(job->host, call->bytes, call->length, 0);
  luge__fs_free(job);
}

/* The data, argument 2, outlives the task in a copy. */
static void take_data(lua_State *L, struct write_call *call) {
  size_t length;
  const char *data = lua_tolstring(L, 2, &length);
  if (length > 0) {
    call->bytes = luge__alloc(L, length);
    memcpy(call->bytes, data, length);
    call->length = length;
  }
}

static int start_write(lua_State *L, const struct luge_job_kind *kind,
                       const struct luge_fs_use *use) {
  if (!lua_isstring(L, 2)) {
    luge__arg_error(L, 2, "a string");
  }
  mode_t mode = (mode_t)luaL_checkinteger(L, 3);
  bool sync = lua_toboolean(L, 4);
  struct write_call *call = luge__fs_call(L, kind, sizeof *call, use);
  call->target = &call->call.at;
  call->source = -1;
  call->mode = mode;
  call->sync = sync;
  take_data(L, call);
  return luge__fs_run(L, &call->call);
}

/* write(path, data, mode, sync) */
int luge__fs_write(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be written"), work_write, luge__fs_done,
      free_call};
  static const struct luge_fs_use use = {.verb = "write",
                                         .first = LUGE_OP_FS_WRITE};
  return start_write(L, &kind, &use);
}

/* append(path, data, mode, sync) */
int luge__fs_append(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be written"), work_append, luge__fs_done,
      free_call};
  static const struct luge_fs_use use = {.verb = "append to",
                                         .first = LUGE_OP_FS_WRITE};
  return start_write(L, &kind, &use);
}

/* copy(from, to, sync) */
int luge__fs_copy(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be copied"), work_copy, luge__fs_done,
      free_call};
  static const struct luge_fs_use use = {
      .verb = "copy", .first = LUGE_OP_FS_READ, .other = LUGE_OP_FS_WRITE};
  bool sync = lua_toboolean(L, 3);
  struct write_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->target = &call->call.to;
  call->source = -1;
  call->sync = sync;
  return luge__fs_run(L, &call->call);
}
