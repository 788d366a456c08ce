/* Opening files: open(path, flags, mode), temporary(prefix, is_directory). If
 * the task is cancelled meanwhile, what was opened is closed again. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "fs_file.h"
#include "fs_io.h"

struct open_call {
  struct luge_fs_call call;
  struct luge_file *file; /* NULL once it is Lua's */
  int flags;
  mode_t mode;
  bool is_directory;
};

static bool is_seekable(mode_t mode) {
  return S_ISREG(mode) || S_ISBLK(mode);
}

/* Directories can be opened, but not read. */
static int look_at(struct luge_file *file) {
  struct stat status;
  if (fstat(file->fd, &status) != 0) {
    return errno;
  }
  file->position = is_seekable(status.st_mode) ? 0 : -1;
  return S_ISDIR(status.st_mode) ? EISDIR : 0;
}

static void work_open(struct luge_job *job) {
  struct open_call *call = (struct open_call *)job;
  struct luge_file *file = call->file;
  int error = luge__fs_open(file->name, call->flags, call->mode, &file->fd);
  call->call.error = error == 0 ? look_at(file) : error;
}

/* The name ends by the six X that are replaced. */
static void work_temporary(struct luge_job *job) {
  struct open_call *call = (struct open_call *)job;
  struct luge_file *file = call->file;
  if (call->is_directory) {
    file->temporary = mkdtemp(file->name) != NULL;
    call->call.error = file->temporary ? 0 : errno;
    return;
  }
  file->fd = mkostemp(file->name, O_CLOEXEC);
  file->temporary = file->fd >= 0;
  call->call.error = file->temporary ? 0 : errno;
}

static void free_call(struct luge_job *job) {
  struct open_call *call = (struct open_call *)job;
  if (call->file == NULL) {
    return;
  }
  if (call->file->fd >= 0 || call->file->temporary) {
    luge__file_let_go(call->file);
  } else {
    luge__job_free(&call->file->call.job);
  }
}

/* The box is below that of the call. */
static int done(lua_State *L, struct luge_job *job) {
  struct open_call *call = (struct open_call *)job;
  luge__fs_check(L, &call->call);
  lua_settop(L, 3);
  luge__file_publish(call->file, lua_touserdata(L, 3));
  call->file = NULL;
  return 1;
}

/* The stack has the path, nothing of interest, and the box of the file. */
static struct open_call *begin(lua_State *L, const struct luge_job_kind *kind,
                               const struct luge_fs_use *use) {
  lua_settop(L, 2);
  luge__file_box(L);
  struct open_call *call = luge__fs_call(L, kind, sizeof *call, use);
  call->file = luge__file_new(L, call->call.path, strlen(call->call.path));
  return call;
}

/* The flags of open(2) for a mode as io.open has it: "r", "w", "a", a "+" and
 * a "b" behind it, and an "x", for a file that must be new. */
static int check_flags(lua_State *L, int arg) {
  const char *mode = luaL_checkstring(L, arg);
  bool both = strchr(mode, '+') != NULL;
  int access = both ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
  int create = mode[0] == 'r'   ? 0
               : mode[0] == 'a' ? O_CREAT | O_APPEND
                                : O_CREAT | O_TRUNC;
  return access | create | (strchr(mode, 'x') != NULL ? O_EXCL : 0);
}

/* open(path, mode, permissions) */
int luge__fs_open_file(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be opened"), work_open, done, free_call};
  static const struct luge_fs_use reads = {"open", LUGE_FS_READ, 0};
  static const struct luge_fs_use writes = {"open", LUGE_FS_WRITE, 0};
  static const struct luge_fs_use both = {"open", LUGE_FS_READ | LUGE_FS_WRITE,
                                          0};
  int flags = check_flags(L, 2);
  mode_t mode = (mode_t)luaL_checkinteger(L, 3);
  int access = flags & O_ACCMODE;
  struct open_call *call = begin(L, &kind,
                                 access == O_RDONLY   ? &reads
                                 : access == O_WRONLY ? &writes
                                                      : &both);
  call->flags = flags;
  call->mode = mode;
  call->file->appends = (flags & O_APPEND) != 0;
  return luge__job_run(L, &call->call.job);
}

/* temporary(template, is_directory): the template ends by "XXXXXX" */
int luge__fs_temporary(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be opened"), work_temporary, done, free_call};
  static const struct luge_fs_use use = {"create", LUGE_FS_WRITE, 0};
  bool is_directory = lua_toboolean(L, 2);
  struct open_call *call = begin(L, &kind, &use);
  call->is_directory = is_directory;
  return luge__job_run(L, &call->call.job);
}
