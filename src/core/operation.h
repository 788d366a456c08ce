/* Operations: everything that scripts can do to the world outside of their
 * host, each with the capability that it takes. What is not in this table
 * cannot be checked, and so cannot be done where anything is checked: see
 * permission.h, and mod/operations.c for the functions behind each. */
#ifndef LUGE_CORE_OPERATION_H
#define LUGE_CORE_OPERATION_H

enum luge_capability {
  LUGE_CAP_NET,
  LUGE_CAP_READ,
  LUGE_CAP_WRITE,
  LUGE_CAP_ENV,
  LUGE_CAP_RUN,
  LUGE_CAPS,                 /* how many have rules */
  LUGE_CAP_HOST = LUGE_CAPS, /* no rule allows it */
  LUGE_CAP_SIGNAL            /* luge_options.signals decides */
};

/* Identifier, name, capability. */
#define LUGE_OPERATIONS(X)                                                     \
  X(FS_READ, "fs.read", READ)                                                  \
  X(FS_WRITE, "fs.write", WRITE)                                               \
  X(FS_LIST, "fs.list", READ)                                                  \
  X(FS_STAT, "fs.stat", READ)                                                  \
  X(FS_WATCH, "fs.watch", READ)                                                \
  X(FS_MKDIR, "fs.mkdir", WRITE)                                               \
  X(FS_REMOVE, "fs.remove", WRITE)                                             \
  X(FS_RENAME, "fs.rename", WRITE)                                             \
  X(FS_MOVE, "fs.rename", READ)                                                \
  X(FS_TEMP, "fs.temp", WRITE)                                                 \
  X(IO_READ, "io.read", READ)                                                  \
  X(IO_WRITE, "io.write", WRITE)                                               \
  X(OS_REMOVE, "os.remove", WRITE)                                             \
  X(OS_RENAME, "os.rename", WRITE)                                             \
  X(OS_MOVE, "os.rename", READ)                                                \
  X(LOAD_FILE, "load.file", READ)                                              \
  X(LOAD_MODULE, "load.module", READ)                                          \
  X(LOAD_BYTECODE, "load.bytecode", HOST)                                      \
  X(LOAD_LIBRARY, "load.library", HOST)                                        \
  X(SETLOCALE, "os.setlocale", HOST)                                           \
  X(STORE_READ, "store.read", READ)                                            \
  X(STORE_WRITE, "store.write", WRITE)                                         \
  X(NET_CONNECT, "net.connect", NET)                                           \
  X(NET_LISTEN, "net.listen", NET)                                             \
  X(NET_LOOKUP, "net.lookup", NET)                                             \
  X(NET_SEND, "net.send", NET)                                                 \
  X(SOCKET_READ, "socket.read", READ)                                          \
  X(SOCKET_WRITE, "socket.write", WRITE)                                       \
  X(HTTP_REQUEST, "http.request", NET)                                         \
  X(HTTP_PROXY, "http.proxy", NET)                                             \
  X(HTTP_LISTEN, "http.listen", NET)                                           \
  X(HTTP_FILE, "http.file", READ)                                              \
  X(ENV_GET, "env.get", ENV)                                                   \
  X(PROCESS_SPAWN, "process.spawn", RUN)                                       \
  X(PROCESS_ENV, "process.env", RUN)                                           \
  X(OS_EXECUTE, "os.execute", RUN)                                             \
  X(SIGNAL, "signal", SIGNAL)                                                  \
  X(HOST, "host", HOST)

#define LUGE_OPERATION_ENUM(id, name, capability) LUGE_OP_##id,
enum luge_operation {
  LUGE_OP_NONE,
  LUGE_OPERATIONS(LUGE_OPERATION_ENUM) LUGE_OP_COUNT
};
#undef LUGE_OPERATION_ENUM

/* "net", "read", "write", "env", "run", "host", "signal" */
const char *luge__capability_name(enum luge_capability capability);

const char *luge__operation_name(enum luge_operation operation);
enum luge_capability luge__operation_capability(enum luge_operation operation);

#endif
