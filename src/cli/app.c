/* Executables with a script; see app.h. */
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <zlib.h>

enum { MAX_PATH = 4096 };

#define PREFIX "luge:payload:"

/* Offset, length and checksum, in hexadecimal. It must be read from memory as
 * it is there, not as it was compiled. */
static const volatile char marker[] =
    PREFIX "0000000000000000:0000000000000000:00000000";

struct place {
  unsigned long long offset, length;
  unsigned checksum;
};

static bool read_marker(struct place *place) {
  char text[sizeof marker];
  for (size_t i = 0; i < sizeof marker; i++) {
    text[i] = marker[i];
  }
  char *at = text + sizeof PREFIX - 1;
  place->offset = strtoull(at, &at, 16);
  place->length = strtoull(at + 1, &at, 16);
  place->checksum = (unsigned)strtoul(at + 1, &at, 16);
  return place->offset != 0;
}

const char *cli_app_marker(size_t *prefix) {
  *prefix = sizeof PREFIX - 1;
  return (const char *)marker;
}

bool cli_app_is_one(void) {
  struct place place;
  return read_marker(&place);
}

char *cli_app_executable(void) {
  size_t size = MAX_PATH;
  char *path = malloc(size);
  if (path != NULL && uv_exepath(path, &size) != 0) {
    free(path);
    return NULL;
  }
  return path;
}

static int open_self(void) {
#if defined(__linux__)
  return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
#else
  char *path = cli_app_executable();
  int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  free(path);
  return fd;
#endif
}

static bool read_at(int fd, char *bytes, size_t length, off_t offset) {
  while (length > 0) {
    ssize_t count = pread(fd, bytes, length, offset);
    if (count == 0 || (count < 0 && errno != EINTR)) {
      return false;
    }
    bytes += count > 0 ? count : 0;
    length -= count > 0 ? (size_t)count : 0;
    offset += count > 0 ? count : 0;
  }
  return true;
}

/* Records. */

struct record {
  char kind;
  const char *name, *path;
  char *text;
  uint32_t name_length, path_length, length;
};

static uint32_t read_number(const char *bytes) {
  const unsigned char *at = (const unsigned char *)bytes;
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
         (uint32_t)at[3] << 24;
}

/* Reads the record at *offset, which moves behind it; false: there is none. The
 * lengths need no checks: the checksum was right. */
static bool next_record(const struct cli_app *app, size_t *offset,
                        struct record *record) {
  enum { HEAD = 13 };
  if (app->length - *offset < HEAD) {
    return false;
  }
  char *at = app->records + *offset;
  record->kind = at[0];
  record->name_length = read_number(at + 1);
  record->path_length = read_number(at + 5);
  record->length = read_number(at + 9);
  record->name = at + HEAD;
  record->path = record->name + record->name_length;
  record->text = at + HEAD + record->name_length + record->path_length;
  *offset +=
      HEAD + (size_t)record->name_length + record->path_length + record->length;
  return *offset <= app->length;
}

static bool list_options(struct cli_app *app) {
  static char command[] = "luge";
  size_t offset = 0, count = 1;
  struct record record;
  while (next_record(app, &offset, &record)) {
    count += record.kind == 'o';
  }
  app->options = calloc(count + 1, sizeof *app->options);
  if (app->options == NULL) {
    return false;
  }
  app->options[app->option_count++] = command;
  for (offset = 0; next_record(app, &offset, &record);) {
    if (record.kind == 'o') {
      app->options[app->option_count++] = record.text;
    }
  }
  return true;
}

static bool complain(const char *what) {
  fprintf(stderr, "luge: cannot read the script of this executable: %s\n",
          what);
  return false;
}

/* The checksum is needed even though the lengths fit: the records may have been
 * cut off, and other bytes appended. */
static bool read_records(struct cli_app *app, int fd,
                         const struct place *place) {
  app->length = (size_t)place->length;
  app->records = malloc(app->length + 1);
  if (app->records == NULL) {
    return complain(strerror(ENOMEM));
  }
  if (!read_at(fd, app->records, app->length, (off_t)place->offset)) {
    return complain("it is not there (was it stripped?)");
  }
  uLong sum =
      crc32(crc32(0, NULL, 0), (const Bytef *)app->records, (uInt)app->length);
  if (sum != place->checksum) {
    return complain("it is damaged");
  }
  return list_options(app) || complain(strerror(ENOMEM));
}

bool cli_app_read(struct cli_app *app) {
  struct place place;
  *app = (struct cli_app){.records = NULL};
  read_marker(&place);
  int fd = open_self();
  if (fd < 0) {
    return complain(strerror(errno));
  }
  bool is_read = read_records(app, fd, &place);
  close(fd);
  return is_read;
}

void cli_app_free(struct cli_app *app) {
  free(app->records);
  free(app->options);
}

bool cli_app_script(const struct cli_app *app, struct cli_script *script) {
  size_t offset = 0;
  struct record record = {0};
  while (next_record(app, &offset, &record) && record.kind != 's') {
  }
  size_t size = (size_t)record.path_length + 2;
  *script = (struct cli_script){.text = record.text, .length = record.length};
  script->name = malloc(size);
  if (script->name == NULL) {
    return complain(strerror(ENOMEM));
  }
  snprintf(script->name, size, "@%.*s", (int)record.path_length, record.path);
  return true;
}

/* Modules. Each is preloaded, by an opener that finds its record by its name:
 * so workers, which take the openers over, have them too. */

static const struct cli_app *installed;

static bool find_module(const char *name, struct record *record) {
  size_t offset = 0, length = strlen(name);
  while (next_record(installed, &offset, record)) {
    if (record->kind == 'm' && record->name_length == length &&
        memcmp(record->name, name, length) == 0) {
      return true;
    }
  }
  return false;
}

static int on_opened(lua_State *L, int status, lua_KContext context) {
  (void)L;
  (void)status;
  (void)context;
  return 1;
}

/* What `require` calls. The module may wait. */
static int open_module(lua_State *L) {
  struct record record;
  const char *name = luaL_checkstring(L, 1);
  if (!find_module(name, &record)) {
    return luaL_error(L, "no module '%s' in the executable", name);
  }
  lua_settop(L, 1);
  lua_pushlstring(L, record.path, record.path_length);
  const char *chunk = lua_pushfstring(L, "@%s", lua_tostring(L, 2));
  if (luaL_loadbufferx(L, record.text, record.length, chunk, "t") != LUA_OK) {
    return lua_error(L);
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_callk(L, 2, 1, 0, on_opened);
  return on_opened(L, LUA_OK, 0);
}

/* A searcher that finds nothing: it adds to the message where it has looked. */
static int search(lua_State *L) {
  lua_pushfstring(L, "no module '%s' in the executable",
                  luaL_checkstring(L, 1));
  return 1;
}

static void add_searcher(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i >= 2; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

void cli_app_install(lua_State *L, const struct cli_app *app) {
  size_t offset = 0;
  struct record record;
  installed = app;
  add_searcher(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  while (next_record(app, &offset, &record)) {
    if (record.kind == 'm') {
      lua_pushlstring(L, record.name, record.name_length);
      lua_pushcfunction(L, open_module);
      lua_rawset(L, -3);
    }
  }
  lua_pop(L, 1);
}
