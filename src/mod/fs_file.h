/* Open files, as fs_open.c makes them; see fs_file.c. */
#ifndef LUGE_MOD_FS_FILE_H
#define LUGE_MOD_FS_FILE_H

#include <lua.h>
#include <stdatomic.h>
#include <stdint.h>

#include "fs_call.h"

struct luge_file {
  struct luge_fs_call call; /* closes it, and removes a temporary one */
  char *name;               /* its path; part of this block */
  int fd;                   /* -1: not open; a temporary directory has none */
  int64_t position;         /* -1: one cannot seek in it */
  unsigned users;           /* operations under way, which keep it open */
  atomic_int lost;          /* an errno: what was written is not on the disk */
  bool closing, appends, temporary;
};

/* A file that is not open yet and not held by Lua, with a copy of the path. */
struct luge_file *luge__file_new(lua_State *L, const char *path, size_t length);

/* Pushes the userdata of a file, closed so far; puts one in. The user value is
 * the real path of one that may perhaps not be looked at. */
struct luge_job_box *luge__file_box(lua_State *L);
void luge__file_publish(struct luge_file *file, struct luge_job_box *box);

/* Closes it on the pool, once nothing uses it any more, and frees it. */
void luge__file_let_go(struct luge_file *file);

#endif
