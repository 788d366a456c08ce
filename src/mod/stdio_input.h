/* Standard input, read on the loop. What has come stays in one buffer until a
 * read that is complete takes it, so a cancelled one loses nothing; the tasks
 * that read take turns. A read from the descriptor is under way only while
 * somebody waits for it, one at a time. Loop thread only. */
#ifndef LUGE_MOD_STDIO_INPUT_H
#define LUGE_MOD_STDIO_INPUT_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "../core/host.h"
#include "../core/turns.h"
#include "stdio_scan.h"

struct luge_task;

struct luge_input {
  struct luge_service service;
  struct luge_host *host;
  struct luge_turns turns;
  uv_pipe_t pipe; /* if `is_stream` */
  uv_fs_t request;
  char *bytes;
  size_t begin, end, capacity; /* of what has come and was not taken */
  struct luge_clean clean;     /* from `begin` on */
  int error;                   /* a negative errno, or UV_EOF: no more comes */
  int flags;                   /* to be put back on the descriptor; or -1 */
  bool opened, is_stream, reading;
};

/* The host's. May raise (memory). */
struct luge_input *luge__input(lua_State *L);

/* Starts a read, unless one is under way or no more comes: afterwards either
 * `reading` or `error` is set. May raise (memory). */
void luge__input_start(lua_State *L, struct luge_input *input);

/* The first `count` bytes were taken. */
void luge__input_consume(struct luge_input *input, size_t count);

/* The `cancel` of a wait for it: task->wait.data is the input. */
bool luge__input_leave(struct luge_task *task);

#endif
