/* Operations on entries of directories: stat, mkdir, remove, rename. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "fs_call.h"
#include "fs_remove.h"

struct entry_call {
  struct luge_fs_call call;
  struct stat status;
  mode_t mode;
  bool parents, recursive;
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
#if defined(__APPLE__)
  set_time(L, "modified", status->st_mtimespec);
  set_time(L, "accessed", status->st_atimespec);
  set_time(L, "changed", status->st_ctimespec);
#else
  set_time(L, "modified", status->st_mtim);
  set_time(L, "accessed", status->st_atim);
  set_time(L, "changed", status->st_ctim);
#endif
}

/* stat(path, follow) -> a table */

static void work_stat(struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  const struct luge_place *at = &call->call.at;
  int flags = call->call.follow ? luge__place_flags(at) : AT_SYMLINK_NOFOLLOW;
  int status = fstatat(at->dir, at->name, &call->status, flags);
  call->call.error = status == 0 ? 0 : errno;
}

static int done_stat(lua_State *L, struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  luge__fs_check(L, &call->call);
  luge__fs_push_stat(L, &call->status);
  return 1;
}

int luge__fs_stat(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file's status"), work_stat, done_stat, luge__fs_free};
  static const struct luge_fs_use use = {.verb = "find",
                                         .first = LUGE_OP_FS_STAT};
  bool follow = lua_toboolean(L, 2);
  struct entry_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->call.follow = follow;
  return luge__fs_run(L, &call->call);
}

/* mkdir(path, mode, parents) */

static int make(const struct luge_place *at, mode_t mode, bool may_exist) {
  struct stat status;
  if (mkdirat(at->dir, at->name, mode) == 0) {
    return 0;
  }
  int error = errno;
  return may_exist && (error == EEXIST || error == EROFS || error == EACCES) &&
                 fstatat(at->dir, at->name, &status, luge__place_flags(at)) ==
                     0 &&
                 S_ISDIR(status.st_mode)
             ? 0
             : error;
}

static int make_parents(char *path, mode_t mode) {
  const struct luge_place place = luge__place_here(path);
  int error = 0;
  for (char *at = path; error == 0 && (at = strchr(at + 1, '/')) != NULL;) {
    *at = '\0';
    error = *path != '\0' ? make(&place, 0777, true) : 0;
    error = error == EEXIST ? ENOTDIR : error;
    *at = '/';
  }
  return error == 0 ? make(&place, mode, true) : error;
}

/* Makes the first directory of what is missing at `at`, and goes into it. */
static int make_way(struct luge_place *at) {
  char name[NAME_MAX + 1];
  size_t length = strcspn(at->name, "/");
  if (length > NAME_MAX) {
    return ENAMETOOLONG;
  }
  memcpy(name, at->name, length);
  name[length] = '\0';
  if (mkdirat(at->dir, name, 0777) != 0 && errno != EEXIST) {
    return errno;
  }
  int dir =
      openat(at->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (dir < 0) {
    return errno;
  }
  close(at->dir);
  at->dir = dir;
  at->name += length + strspn(at->name + length, "/");
  return 0;
}

/* The same where the path was looked up: nothing on the way is followed. */
static int make_found(struct luge_place *at, mode_t mode) {
  int error = strstr(at->name, "..") != NULL ? ENOENT : 0;
  while (error == 0 && strchr(at->name, '/') != NULL) {
    error = make_way(at);
  }
  return error == 0 ? make(at, mode, true) : error;
}

static void work_mkdir(struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  struct luge_place *at = &call->call.at;
  if (!call->parents) {
    call->call.error = make(at, call->mode, false);
    return;
  }
  if (at->path != NULL) {
    call->call.error = make_found(at, call->mode);
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
      luge__fs_free};
  static const struct luge_fs_use use = {.verb = "make directory",
                                         .first = LUGE_OP_FS_MKDIR};
  mode_t mode = (mode_t)luaL_checkinteger(L, 2);
  bool parents = lua_toboolean(L, 3);
  struct entry_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->mode = mode;
  call->parents = call->call.makes_way = parents;
  call->call.follow = parents;
  return luge__fs_run(L, &call->call);
}

/* remove(path, recursive) */

static void work_remove(struct luge_job *job) {
  struct entry_call *call = (struct entry_call *)job;
  call->call.error = call->recursive ? luge__fs_remove_tree(job, &call->call.at)
                                     : luge__place_remove(&call->call.at);
}

int luge__fs_remove(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be removed"), work_remove, luge__fs_done,
      luge__fs_free};
  static const struct luge_fs_use use = {.verb = "remove",
                                         .first = LUGE_OP_FS_REMOVE};
  bool recursive = lua_toboolean(L, 2);
  struct entry_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->recursive = recursive;
  call->call.follow = false;
  return luge__fs_run(L, &call->call);
}

/* rename(from, to) */

static void work_rename(struct luge_job *job) {
  struct luge_fs_call *call = (struct luge_fs_call *)job;
  call->error = luge__place_rename(&call->at, &call->to);
}

int luge__fs_rename(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a file to be renamed"), work_rename, luge__fs_done,
      luge__fs_free};
  static const struct luge_fs_use use = {.verb = "rename",
                                         .first = LUGE_OP_FS_RENAME,
                                         .second = LUGE_OP_FS_MOVE,
                                         .other = LUGE_OP_FS_RENAME};
  struct luge_fs_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  call->follow = false;
  return luge__fs_run(L, call);
}
