/* list(path) -> names, types: the entries of a directory but "." and "..", in
 * the order of the system. They come in buffers of a fixed size, so that a
 * directory of any length stays inside the host's memory limit. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "fs_call.h"

/* Entries in the buffer: a byte for the type, the name, a zero. */
enum { BUFFER = 32768, LONGEST = 1 + 255 + 1 };

struct list_call {
  struct luge_fs_call call;
  DIR *directory;
  bool ended;
  size_t used;
  char entries[BUFFER];
};

static const char *const type_names[] = {"device", "file",   "directory",
                                         "link",   "socket", "fifo"};
enum { DEVICE, REGULAR, DIRECTORY, LINK, SOCKET, FIFO };

static int type_by_mode(mode_t mode) {
  return S_ISREG(mode)    ? REGULAR
         : S_ISDIR(mode)  ? DIRECTORY
         : S_ISLNK(mode)  ? LINK
         : S_ISSOCK(mode) ? SOCKET
         : S_ISFIFO(mode) ? FIFO
                          : DEVICE;
}

/* Some file systems do not say the type of an entry. */
static int type_of(DIR *directory, const struct dirent *entry) {
  struct stat status;
  if (entry->d_type != DT_UNKNOWN) {
    return type_by_mode(DTTOIF(entry->d_type));
  }
  return fstatat(dirfd(directory), entry->d_name, &status,
                 AT_SYMLINK_NOFOLLOW) == 0
             ? type_by_mode(status.st_mode)
             : DEVICE;
}

static int open_directory(struct list_call *call) {
  int fd;
  int error = luge__place_open(&call->call.at, O_RDONLY | O_DIRECTORY, 0, &fd);
  if (error != 0) {
    return error;
  }
  call->directory = fdopendir(fd);
  if (call->directory == NULL) {
    error = errno;
    close(fd);
    return error;
  }
  return 0;
}

static void add(struct list_call *call, const struct dirent *entry) {
  size_t size = strlen(entry->d_name) + 1;
  call->entries[call->used++] = (char)type_of(call->directory, entry);
  memcpy(call->entries + call->used, entry->d_name, size);
  call->used += size;
}

static int read_entries(struct list_call *call) {
  while (call->used + LONGEST <= BUFFER) {
    errno = 0;
    const struct dirent *entry = readdir(call->directory);
    if (entry == NULL) {
      call->ended = true;
      return errno;
    }
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      add(call, entry);
    }
  }
  return 0;
}

static void work(struct luge_job *job) {
  struct list_call *call = (struct list_call *)job;
  int error = call->directory == NULL ? open_directory(call) : 0;
  if (error == 0 && call->directory != NULL) {
    error = read_entries(call);
  }
  call->call.error = error;
}

/* The tables are the arguments 2 and 3. */
static void push_entries(lua_State *L, struct list_call *call) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
  for (size_t at = 0; at < call->used;) {
    lua_pushstring(L, type_names[(unsigned char)call->entries[at]]);
    lua_rawseti(L, 3, ++count);
    const char *name = call->entries + at + 1;
    lua_pushstring(L, name);
    lua_rawseti(L, 2, count);
    at += strlen(name) + 2;
  }
  call->used = 0;
}

static int done(lua_State *L, struct luge_job *job) {
  struct list_call *call = (struct list_call *)job;
  luge__fs_check(L, &call->call);
  push_entries(L, call);
  if (!call->ended) {
    return luge__job_run(L, job);
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  return 2;
}

static void free_call(struct luge_job *job) {
  struct list_call *call = (struct list_call *)job;
  if (call->directory != NULL) {
    closedir(call->directory);
  }
  luge__fs_free(job);
}

int luge__fs_list(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a directory to be read"), work, done, free_call};
  static const struct luge_fs_use use = {.verb = "list",
                                         .first = LUGE_OP_FS_LIST};
  lua_settop(L, 1);
  lua_newtable(L);
  lua_newtable(L);
  struct list_call *call = luge__fs_call(L, &kind, sizeof *call, &use);
  return luge__fs_run(L, &call->call);
}
