/* The functions and their operations; see operations.h. */
#include "operations.h"

#include <string.h>

#define NATIVE "luge.native."

/* "LIBRARY.*" stands for all its functions that have no entry of their own. */
static const struct entry {
  const char *function;
  enum luge_operation operation;
} entries[] = {
    {"_G.assert", LUGE_OP_NONE},
    {"_G.collectgarbage", LUGE_OP_NONE},
    {"_G.dofile", LUGE_OP_LOAD_FILE},
    {"_G.error", LUGE_OP_NONE},
    {"_G.getmetatable", LUGE_OP_NONE},
    {"_G.ipairs", LUGE_OP_NONE},
    {"_G.load", LUGE_OP_LOAD_BYTECODE},
    {"_G.loadfile", LUGE_OP_LOAD_FILE},
    {"_G.next", LUGE_OP_NONE},
    {"_G.pairs", LUGE_OP_NONE},
    {"_G.pcall", LUGE_OP_NONE},
    {"_G.print", LUGE_OP_NONE},
    {"_G.rawequal", LUGE_OP_NONE},
    {"_G.rawget", LUGE_OP_NONE},
    {"_G.rawlen", LUGE_OP_NONE},
    {"_G.rawset", LUGE_OP_NONE},
    {"_G.require", LUGE_OP_LOAD_MODULE},
    {"_G.select", LUGE_OP_NONE},
    {"_G.setmetatable", LUGE_OP_NONE},
    {"_G.tonumber", LUGE_OP_NONE},
    {"_G.tostring", LUGE_OP_NONE},
    {"_G.type", LUGE_OP_NONE},
    {"_G.warn", LUGE_OP_NONE},
    {"_G.xpcall", LUGE_OP_NONE},
    {"coroutine.*", LUGE_OP_NONE},
    {"debug.getinfo", LUGE_OP_NONE},
    {"debug.traceback", LUGE_OP_NONE},
    {"debug.*", LUGE_OP_HOST},
    {"io.close", LUGE_OP_NONE},
    {"io.flush", LUGE_OP_NONE},
    {"io.input", LUGE_OP_IO_READ},
    {"io.lines", LUGE_OP_IO_READ},
    {"io.open", LUGE_OP_IO_READ},
    {"io.output", LUGE_OP_IO_WRITE},
    {"io.popen", LUGE_OP_PROCESS_SPAWN},
    {"io.read", LUGE_OP_NONE},
    {"io.tmpfile", LUGE_OP_IO_WRITE},
    {"io.type", LUGE_OP_NONE},
    {"io.write", LUGE_OP_NONE},
    {NATIVE "clock.*", LUGE_OP_NONE},
    {NATIVE "condition.*", LUGE_OP_NONE},
    {NATIVE "environment.get", LUGE_OP_ENV_GET},
    {NATIVE "environment.set", LUGE_OP_NONE},
    {NATIVE "environment.try", LUGE_OP_NONE},
    {NATIVE "fs.append", LUGE_OP_FS_WRITE},
    {NATIVE "fs.copy", LUGE_OP_FS_READ},
    {NATIVE "fs.list", LUGE_OP_FS_LIST},
    {NATIVE "fs.mkdir", LUGE_OP_FS_MKDIR},
    {NATIVE "fs.open", LUGE_OP_FS_READ},
    {NATIVE "fs.read", LUGE_OP_FS_READ},
    {NATIVE "fs.remove", LUGE_OP_FS_REMOVE},
    {NATIVE "fs.rename", LUGE_OP_FS_RENAME},
    {NATIVE "fs.stat", LUGE_OP_FS_STAT},
    {NATIVE "fs.temporary", LUGE_OP_FS_TEMP},
    {NATIVE "fs.watch", LUGE_OP_FS_WATCH},
    {NATIVE "fs.write", LUGE_OP_FS_WRITE},
    {NATIVE "gate.*", LUGE_OP_NONE},
    {NATIVE "http_client.base64", LUGE_OP_NONE},
    {NATIVE "http_client.client", LUGE_OP_NONE},
    {NATIVE "http_client.close", LUGE_OP_NONE},
    {NATIVE "http_client.close_stream", LUGE_OP_NONE},
    {NATIVE "http_client.escape", LUGE_OP_NONE},
    {NATIVE "http_client.fetch", LUGE_OP_HTTP_REQUEST},
    {NATIVE "http_client.info", LUGE_OP_NONE},
    {NATIVE "http_client.mask", LUGE_OP_NONE},
    {NATIVE "http_client.open", LUGE_OP_HTTP_REQUEST},
    {NATIVE "http_client.origin", LUGE_OP_NONE},
    {NATIVE "http_client.read", LUGE_OP_NONE},
    {NATIVE "http_client.reader", LUGE_OP_NONE},
    {NATIVE "http_client.resolve", LUGE_OP_NONE},
    {NATIVE "http_client.timings", LUGE_OP_NONE},
    {NATIVE "http_client.upload", LUGE_OP_NONE},
    {NATIVE "http_server.listen", LUGE_OP_HTTP_LISTEN},
    {NATIVE "json.*", LUGE_OP_NONE},
    {NATIVE "log.*", LUGE_OP_NONE},
    {NATIVE "net.addresses", LUGE_OP_NONE},
    {NATIVE "net.dial", LUGE_OP_NET_CONNECT},
    {NATIVE "net.dial_path", LUGE_OP_SOCKET_WRITE},
    {NATIVE "net.listen", LUGE_OP_NET_LISTEN},
    {NATIVE "net.listen_path", LUGE_OP_SOCKET_WRITE},
    {NATIVE "net.resolve", LUGE_OP_NET_LOOKUP},
    {NATIVE "permission.*", LUGE_OP_NONE},
    {NATIVE "process.spawn", LUGE_OP_PROCESS_SPAWN},
    {NATIVE "queue.*", LUGE_OP_NONE},
    {NATIVE "signal.watch", LUGE_OP_SIGNAL},
    {NATIVE "stdio.*", LUGE_OP_NONE},
    {NATIVE "stream.*", LUGE_OP_NONE},
    {NATIVE "sync.*", LUGE_OP_NONE},
    {NATIVE "task.*", LUGE_OP_NONE},
    {NATIVE "terminal.*", LUGE_OP_NONE},
    {NATIVE "store.open", LUGE_OP_STORE_READ},
    {NATIVE "store.append", LUGE_OP_NONE},
    {NATIVE "store.bounds", LUGE_OP_NONE},
    {NATIVE "store.compare_and_set", LUGE_OP_NONE},
    {NATIVE "store.delete", LUGE_OP_NONE},
    {NATIVE "store.get", LUGE_OP_NONE},
    {NATIVE "store.put", LUGE_OP_NONE},
    {NATIVE "store.read", LUGE_OP_NONE},
    {NATIVE "store.scan", LUGE_OP_NONE},
    {NATIVE "store.truncate", LUGE_OP_NONE},
    {NATIVE "testchild.*", LUGE_OP_HOST},
    {NATIVE "testrun.*", LUGE_OP_HOST},
    {NATIVE "worker.*", LUGE_OP_NONE},
    {"math.*", LUGE_OP_NONE},
    {"os.clock", LUGE_OP_NONE},
    {"os.date", LUGE_OP_NONE},
    {"os.difftime", LUGE_OP_NONE},
    {"os.execute", LUGE_OP_PROCESS_SPAWN},
    {"os.exit", LUGE_OP_NONE},
    {"os.getenv", LUGE_OP_ENV_GET},
    {"os.remove", LUGE_OP_OS_REMOVE},
    {"os.rename", LUGE_OP_OS_RENAME},
    {"os.setlocale", LUGE_OP_SETLOCALE},
    {"os.time", LUGE_OP_NONE},
    {"os.tmpname", LUGE_OP_IO_WRITE},
    {"package.loadlib", LUGE_OP_LOAD_LIBRARY},
    {"package.searchpath", LUGE_OP_LOAD_MODULE},
    {"string.dump", LUGE_OP_LOAD_BYTECODE},
    {"string.*", LUGE_OP_NONE},
    {"table.*", LUGE_OP_NONE},
    {"utf8.*", LUGE_OP_NONE},
};

enum { ENTRIES = sizeof entries / sizeof *entries };

static bool is_entry(const struct entry *entry, const char *name, size_t length,
                     const char *rest) {
  return strncmp(entry->function, name, length) == 0 &&
         strcmp(entry->function + length, rest) == 0;
}

bool luge__operation_of(const char *function, enum luge_operation *operation) {
  const char *dot = strrchr(function, '.');
  size_t library = dot != NULL ? (size_t)(dot - function) + 1 : 0;
  const char *wanted[] = {function + library, "*"};
  for (int exact = 0; exact < 2; exact++) {
    for (int i = 0; i < ENTRIES; i++) {
      if (is_entry(&entries[i], function, library, wanted[exact])) {
        *operation = entries[i].operation;
        return true;
      }
    }
  }
  return false;
}
