/* Operations on entries of directories: stat, mkdir, remove, rename. */
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "fs_call.h"
#include "fs_io.h"

struct entry_call {
  struct luge_fs_call call;
  struct stat status;
  mode_t mode;
  bool follow, parents, recursive;
};

static const char *type_name(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG:
    return "file";
  case S_IFDIR:
    return "directory";
  case S_IFLNK:
    return "link";
  case S_IFIFO:
    return "fifo";
  case S_IFSOCK:
    return "socket";
  default:
    return "device";
  }
}

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void set_time(lua_State *L, const char *name, struct timespec time) {
  lua_pushnumber(L, (lua_Number)time.tv_sec + (lua_Number)time.tv_nsec / 1e9);
  lua_setfield(L, -2, name);
}

void luge__fs_push_stat(lua_State *L, const struct stat *status) {
  lua_createtable(L, 0, 11);
  lua_pushstring(L, type_name(status->st_mode));
  lua_setfield(L, -2, "type");
  set_integer(L, "size", status->st_size);
  set_integer(L, "mode", status->st_mode & 07777);
  set_integer(L, "uid", status->st_uid);
  set_integer(L, "gid", status->st_gid);
  set_integer(L, "links", (lua_Integer)status->st_nlink);
  set_integer(L, "inode", (lua_Integer)status->st_ino);
  set_integer(L, "device", (lua_Integer)status->st_dev);
  set_time(L, "modified", status->st_mtim);
  set_time(L, "accessed", status->st_atim);
  set_time(L, "changed", status->st_ctim);
}

/* stat(path, follow) -> a table */

static void work_stat(struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  int status = call->follow ? stat(call->call.path, &call->status)
                            : lstat(call->call.path, &call->status);
  call->call.error = status == 0 ? 0 : errno;
}

static int done_stat(lua_State *L, struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  luge__fs_check(L, &call->call);
  luge__fs_push_stat(L, &call->status);
  return 1;
}

int luge__fs_stat(lua_State *L) {
  static const struct luge_job_kind kind = {luge__job_wait("a file's status"),
                                            work_stat, done_stat, NULL};
  static const struct luge_fs_use use = {"find", LUGE_FS_READ, 0};
  bool follow = lua_toboolean(L, 2);
  struct entry_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->follow = follow;
  return luge__job_run(L, &call->call.job);
}

/* mkdir(path, mode, parents) */

static int make(const char *path, mode_t mode, bool may_exist) {
  struct stat status;
  if (mkdir(path, mode) == 0) {
    return 0;
  }
  int error = errno;
  return may_exist && (error == EEXIST || error == EROFS || error == EACCES) &&
                 stat(path, &status) == 0 && S_ISDIR(status.st_mode)
             ? 0
             : error;
}

static int make_parents(char *path, mode_t mode) {
  int error = 0;
  for (char *at = path; error == 0 && (at = strchr(at + 1, '/')) != NULL;) {
    *at = '\0';
    error = *path != '\0' ? make(path, 0777, true) : 0;
    *at = '/';
  }
  return error == 0 ? make(path, mode, true) : error;
}

static void work_mkdir(struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  if (!call->parents) {
    call->call.error = make(call->call.path, call->mode, false);
    return;
  }
  char *path = strdup(call->call.path);
  call->call.error = path == NULL ? ENOMEM
                     : *path == 0 ? ENOENT
                                  : make_parents(path, call->mode);
  free(path);
}

int luge__fs_mkdir(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a directory to be made"), work_mkdir, luge__fs_done,
      NULL};
  static const struct luge_fs_use use = {"make directory", LUGE_FS_WRITE, 0};
  mode_t mode = (mode_t)luaL_checkinteger(L, 2);
  bool parents = lua_toboolean(L, 3);
  struct entry_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->mode = mode;
  call->parents = parents;
  return luge__job_run(L, &call->call.job);
}

/* remove(path, recursive) */

static void work_remove(struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  call->call.error = call->recursive
                         ? luge__fs_remove_tree(job, call->call.path)
                     : remove(call->call.path) == 0 ? 0
                                                    : errno;
}

int luge__fs_remove(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be removed"), work_remove, luge__fs_done, NULL};
  static const struct luge_fs_use use = {"remove", LUGE_FS_WRITE, 0};
  bool recursive = lua_toboolean(L, 2);
  struct entry_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->recursive = recursive;
  return luge__job_run(L, &call->call.job);
}

/* rename(from, to) */

static void work_rename(struct luge_job *job) {
  struct luge_fs_call *call = (struct luge_fs_call *)job;
  call->error = rename(call->path, call->other) == 0 ? 0 : errno;
}

int luge__fs_rename(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be renamed"), work_rename, luge__fs_done, NULL};
  static const struct luge_fs_use use = {"rename", LUGE_FS_WRITE,
                                         LUGE_FS_WRITE};
  struct luge_fs_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  return luge__job_run(L, &call->job);
}
