/* The server's two classes for Lua; see server_lua.c, server_request.c and
 * server_answer.c. */
#ifndef LUGE_HTTP_SERVER_LUA_H
#define LUGE_HTTP_SERVER_LUA_H

#include <lua.h>

#include "../core/cell.h"
#include "server.h"

/* Listens at the address and the port at the indices 1 and 2, or at the path at
 * index 3, if that is permitted. Raises `invalid`, `permission`, `io`, `limit`.
 */
void luge__server_listen(lua_State *L, struct luge__server *s);

/* A request that a handler answers. The connection is its, and it the
 * connection's, until it is answered, aborted, collected, or the client's
 * leaving was told with `next` and it was aborted thereupon. */
struct luge__request {
  struct luge__conn *conn;    /* NULL: over */
  struct luge_listener ended; /* of the task that handles it */
};

/* Pushes a new request for the connection: itself, method, target, headers
 * (lower-case name -> value), and, where a name came more than once, a table
 * of lists of its values. Raises (memory) before anything has changed. */
int luge__request_push(lua_State *L, struct luge__conn *c);

/* Separates the two. Whoever waits for the connection is told. */
void luge__request_detach(struct luge__request *r);

/* The request at index 1, and its connection, which is still open; or raises
 * `invalid`, `closed`. */
struct luge__request *luge__request_check(lua_State *L);
struct luge__conn *luge__request_conn(lua_State *L);

void luge__request_init(lua_State *L);

/* Methods: server_answer.c. */
int luge__request_respond(lua_State *L);
int luge__request_start(lua_State *L);
int luge__request_write(lua_State *L);
int luge__request_finish(lua_State *L);

/* Checks the table of headers at `index`, or none, and says which of these
 * there are. Raises `invalid`. */
enum { LUGE_HAS_DATE = 1, LUGE_HAS_TYPE = 2 };
unsigned luge__headers_check(lua_State *L, int index);

/* Adds them, checked, to server->head. False: out of memory. */
bool luge__headers_add(lua_State *L, int index, struct luge__conn *c);

#endif
