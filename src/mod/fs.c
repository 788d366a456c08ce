/* luge.native.fs: the table of its functions. What they have in common is in
 * fs_call.c; defaults and options are in lua/luge/fs.lua. */
#include "fs.h"

#include <lauxlib.h>

#include "modules.h"

int luge__open_fs(lua_State *L) {
  static const luaL_Reg functions[] = {{"append", luge__fs_append},
                                       {"copy", luge__fs_copy},
                                       {"list", luge__fs_list},
                                       {"mkdir", luge__fs_mkdir},
                                       {"open", luge__fs_open_file},
                                       {"read", luge__fs_read},
                                       {"remove", luge__fs_remove},
                                       {"rename", luge__fs_rename},
                                       {"stat", luge__fs_stat},
                                       {"temporary", luge__fs_temporary},
                                       {"watch", luge__fs_watch},
                                       {"write", luge__fs_write},
                                       {NULL, NULL}};
  luge__fs_file_init(L);
  luge__fs_watch_init(L);
  luaL_newlib(L, functions);
  return 1;
}
