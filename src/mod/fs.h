/* The functions of luge.native.fs; each is described where it is. */
#ifndef LUGE_MOD_FS_H
#define LUGE_MOD_FS_H

#include <lua.h>

int luge__fs_read(lua_State *L);
int luge__fs_write(lua_State *L);
int luge__fs_append(lua_State *L);
int luge__fs_copy(lua_State *L);
int luge__fs_stat(lua_State *L);
int luge__fs_list(lua_State *L);
int luge__fs_mkdir(lua_State *L);
int luge__fs_remove(lua_State *L);
int luge__fs_rename(lua_State *L);
int luge__fs_open_file(lua_State *L);
int luge__fs_temporary(lua_State *L);
int luge__fs_watch(lua_State *L);

/* Create their classes. */
void luge__fs_file_init(lua_State *L);
void luge__fs_watch_init(lua_State *L);

struct stat;

/* Pushes a table of what stat(2) says. */
void luge__fs_push_stat(lua_State *L, const struct stat *status);

#endif
