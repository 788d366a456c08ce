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

enum { LETTERS = 6, ATTEMPTS = 100 };

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
  int error =
      luge__place_open(&call->call.at, call->flags, call->mode, &file->fd);
  call->call.error = error == 0 ? look_at(file) : error;
}

/* Replaces the six X that the name ends by. */
static int draw_letters(char *end) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  unsigned char random[LETTERS];
  int status = uv_random(NULL, NULL, random, sizeof random, 0, NULL);
  for (int i = 0; i < LETTERS; i++) {
    end[i - LETTERS] = letters[random[i] % (sizeof letters - 1)];
  }
  return -status;
}

static int create(const struct open_call *call) {
  const struct luge_place *at = &call->file->call.at;
  if (call->is_directory) {
    return mkdirat(at->dir, at->name, 0700) == 0 ? 0 : errno;
  }
  return luge__place_open(at, O_RDWR | O_CREAT | O_EXCL, 0600, &call->file->fd);
}

/* The file keeps its place, for it will be removed there. The path that the
 * script is given ends in the same letters. */
static void work_temporary(struct luge_job *job) {
  struct open_call *call = (struct open_call *)job;
  struct luge_file *file = call->file;
  char *end = file->name + strlen(file->name);
  if (call->call.at.path != NULL) {
    file->call.at = call->call.at;
    call->call.at.path = NULL;
  } else {
    file->call.at = luge__place_here(file->name);
  }
  int error = EEXIST;
  for (int i = 0; error == EEXIST && i < ATTEMPTS; i++) {
    error = draw_letters(end);
    if (file->call.at.path != NULL) {
      char *path = file->call.at.path;
      memcpy(path + strlen(path) - LETTERS, end - LETTERS, LETTERS);
    }
    error = error == 0 ? create(call) : error;
  }
  file->temporary = error == 0;
  call->call.error = error;
}

static void free_call(struct luge_job *job) {
  struct open_call *call = (struct open_call *)job;
  luge__fs_free(job);
  if (call->file == NULL) {
    return;
  }
  if (call->file->fd >= 0 || call->file->temporary) {
    luge__file_let_go(call->file);
  } else {
    luge__job_free(&call->file->call.job);
  }
}

static const struct luge_fs_use to_read = {.verb = "open",
                                           .first = LUGE_OP_FS_READ};
static const struct luge_fs_use to_write = {.verb = "open",
                                            .first = LUGE_OP_FS_WRITE};
static const struct luge_fs_use to_update = {
    .verb = "open", .first = LUGE_OP_FS_READ, .second = LUGE_OP_FS_WRITE};

/* The box is below that of the call. A script that may write the file may
 * perhaps not look at it: see file_stat. */
static int done(lua_State *L, struct luge_job *job) {
  struct open_call *call = (struct open_call *)job;
  luge__fs_check(L, &call->call);
  lua_settop(L, 3);
  luge__file_publish(call->file, lua_touserdata(L, 3));
  call->file = NULL;
  if (call->call.at.path != NULL && call->call.use == &to_write) {
    lua_pushstring(L, call->call.at.path);
    lua_setiuservalue(L, 3, 1);
  }
  return 1;
}

/* On the stack are the path, another argument, and the box of the file. */
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
  int flags = check_flags(L, 2);
  mode_t mode = (mode_t)luaL_checkinteger(L, 3);
  int access = flags & O_ACCMODE;
  struct open_call *call = begin(L, &kind,
                                 access == O_RDONLY   ? &to_read
                                 : access == O_WRONLY ? &to_write
                                                      : &to_update);
  call->flags = flags;
  call->mode = mode;
  call->call.follow = (flags & O_EXCL) == 0;
  call->file->appends = (flags & O_APPEND) != 0;
  return luge__fs_run(L, &call->call);
}

/* temporary(template, is_directory): the template ends by "XXXXXX" */
int luge__fs_temporary(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be opened"), work_temporary, done, free_call};
  static const struct luge_fs_use use = {.verb = "create",
                                         .first = LUGE_OP_FS_TEMP};
  bool is_directory = lua_toboolean(L, 2);
  size_t length;
  const char *template = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L,
                length >= LETTERS &&
                    strcmp(template + length - LETTERS, "XXXXXX") == 0,
                1, "must end by XXXXXX");
  struct open_call *call = begin(L, &kind, &use);
  call->is_directory = is_directory;
  call->call.follow = false;
  return luge__fs_run(L, &call->call);
}
