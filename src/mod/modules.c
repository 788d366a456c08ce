/* The list of C modules; see modules.h. */
#include "modules.h"

const luaL_Reg luge__modules[] = {
    {"luge.native.json", luge__open_json},
    {"luge.native.queue", luge__open_queue},
    {"luge.native.sync", luge__open_sync},
    {"luge.native.task", luge__open_task},
    {NULL, NULL},
};
