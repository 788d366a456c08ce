/* The list of C modules; see modules.h. */
#include "modules.h"

const luaL_Reg luge__modules[] = {
    {"luge.native.condition", luge__open_condition},
    {"luge.native.environment", luge__open_environment},
    {"luge.native.fs", luge__open_fs},
    {"luge.native.gate", luge__open_gate},
    {"luge.native.http_client", luge__open_http_client},
    {"luge.native.http_server", luge__open_http_server},
    {"luge.native.json", luge__open_json},
    {"luge.native.clock", luge__open_clock},
    {"luge.native.log", luge__open_log},
    {"luge.native.permission", luge__open_permission},
    {"luge.native.net", luge__open_net},
    {"luge.native.process", luge__open_process},
    {"luge.native.queue", luge__open_queue},
    {"luge.native.signal", luge__open_signal},
    {"luge.native.stream", luge__open_stream},
    {"luge.native.stdio", luge__open_stdio},
    {"luge.native.store", luge__open_store},
    {"luge.native.sync", luge__open_sync},
    {"luge.native.task", luge__open_task},
    {"luge.native.terminal", luge__open_terminal},
    {"luge.native.testchild", luge__open_testchild},
    {"luge.native.testrun", luge__open_testrun},
    {"luge.native.worker", luge__open_worker},
    {NULL, NULL},
};
