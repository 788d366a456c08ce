/* A store whose file another process holds for writing. The test's child takes
 * the lock as SQLite does (byte 120 of the file of shared memory, which a
 * write-ahead log is locked by), when it is told to: so nothing here is a
 * matter of time. */
#include <fcntl.h>
#include <lauxlib.h>
#include <luge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/check.h"

enum { WRITE_LOCK = 120 };

static char directory[] = "/tmp/luge-store-XXXXXX";
static char path[64], shared[72];
static int to_child[2], from_child[2];

/* The child: "l" locks, "u" unlocks; each is answered by a byte. */
static void serve(void) {
  char order;
  int fd = -1;
  while (read(to_child[0], &order, 1) == 1) {
    struct flock lock = {.l_type = order == 'l' ? F_WRLCK : F_UNLCK,
                         .l_whence = SEEK_SET,
                         .l_start = WRITE_LOCK,
                         .l_len = 1};
    if (fd < 0) {
      fd = open(shared, O_RDWR);
    }
    char answer = fcntl(fd, F_SETLKW, &lock) == 0 ? '1' : '0';
    if (write(from_child[1], &answer, 1) != 1) {
      break;
    }
  }
  _exit(0);
}

static int tell(char order) {
  char answer = '0';
  return write(to_child[1], &order, 1) == 1 &&
         read(from_child[0], &answer, 1) == 1 && answer == '1';
}

static int lib_lock(lua_State *L) {
  lua_pushboolean(L, tell('l'));
  return 1;
}

static int lib_unlock(lua_State *L) {
  lua_pushboolean(L, tell('u'));
  return 1;
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)user;
  fprintf(stderr, "%s\n%s\n", message, traceback != NULL ? traceback : "");
}

static luge_host *open_host(void) {
  luge_options options = {.size = sizeof options, .on_error = on_error};
  luge_host *host = luge_open(&options);
  lua_State *L = luge_lua(host);
  lua_register(L, "lock", lib_lock);
  lua_register(L, "unlock", lib_unlock);
  lua_pushstring(L, path);
  lua_setglobal(L, "path");
  return host;
}

static int run(luge_host *host, const char *code) {
  return luge_run_string(host, code, strlen(code), "=test", 0, NULL);
}

/* Reads and other tasks go on while a write waits; a cancelled one has not
 * happened, one whose time is up fails, one that waits long enough succeeds. */
static const char waits[] =
    "local luge, store = require 'luge', require 'luge.store'\n"
    "s = store.sqlite(path, { timeout = 1000 })\n"
    "local brief = store.sqlite(path, { timeout = 0.01 })\n"
    "s:put('k', 'old')\n"
    "assert(lock())\n"
    "local cancelled = luge.spawn(s.put, s, 'k', 'cancelled')\n"
    "luge.sleep(0.02)\n"
    "assert(cancelled:status() == 'waiting')\n"
    "assert(s:get 'k' == 'old')\n"
    "cancelled:cancel()\n"
    "local ok, err = pcall(cancelled.await, cancelled)\n"
    "assert(luge.is_error(err, 'cancelled'))\n"
    "ok, err = pcall(brief.put, brief, 'k', 'late')\n"
    "assert(luge.is_error(err, 'store') and err.code == 'SQLITE_BUSY')\n"
    "assert(err.retryable and err.path == path)\n"
    "local first = luge.spawn(s.put, s, 'k', 'new')\n"
    "local log = luge.spawn(function() return s:log('l'):append(1) end)\n"
    "luge.sleep(0.02)\n"
    "assert(s:get 'k' == 'old' and not first:done())\n"
    "assert(unlock())\n"
    "first:await()\n"
    "assert(log:await() == 1 and s:get 'k' == 'new')\n"
    "brief:close()\n";

/* Left open, with a write under way: the host does not wait for its time. */
static const char leaves[] =
    "assert(lock())\n"
    "require('luge').detach(function() s:put('k', 'lost') end)\n"
    "require('luge').sleep(0.01)\n";

static const char looks[] =
    "local s <close> = require('luge.store').sqlite(path)\n"
    "assert(s:get 'k' == 'new')\n";

static void test(void) {
  luge_host *host = open_host();
  EXPECT(run(host, waits) == LUGE_OK, "a locked file is waited for");
  EXPECT(run(host, leaves) == LUGE_OK, "a write is left under way");
  EXPECT(luge_close(host) == LUGE_OK, "the host closes");
  EXPECT(tell('u'), "the lock is given up");
  host = open_host();
  EXPECT(run(host, looks) == LUGE_OK, "what was not acknowledged is not there");
  luge_close(host);
}

static void clean_up(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", directory);
  EXPECT(system(command) == 0, "the files are removed");
}

int main(void) {
  if (mkdtemp(directory) == NULL || pipe(to_child) != 0 ||
      pipe(from_child) != 0) {
    perror("set-up");
    return 1;
  }
  snprintf(path, sizeof path, "%s/store", directory);
  snprintf(shared, sizeof shared, "%s-shm", path);
  pid_t child = fork();
  if (child == 0) {
    close(to_child[1]);
    serve();
  }
  test();
  close(to_child[1]);
  waitpid(child, NULL, 0);
  clean_up();
  return verdict();
}
