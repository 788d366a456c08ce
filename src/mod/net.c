/* luge.native.net: sockets for lua/luge/net.lua, which has options and
 * defaults; see net_socket.h, net_dial.c, net_listen.h and net_address.h. What
 * is open when the host closes is closed with it. */
#include <lauxlib.h>
#include <stddef.h>
#include <string.h>

#include "modules.h"
#include "net_address.h"
#include "net_dial.h"
#include "net_listen.h"
#include "net_socket.h"

static const char net_key = 0; /* registry: the struct */

struct luge_net *luge__net(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &net_key);
  struct luge_net *net = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return net;
}

static void stop_net(struct luge_service *service) {
  struct luge_net *net = luge__container(service, struct luge_net, service);
  luge__dials_stop(net);
  while (!luge__list_empty(&net->acceptors)) {
    luge__acceptor_close(
        luge__container(net->acceptors.next, struct luge_acceptor, link));
  }
  while (!luge__list_empty(&net->sockets)) {
    luge__socket_destroy(
        luge__container(net->sockets.next, struct luge_socket, link));
  }
}

static void free_net(struct luge_service *service) {
  struct luge_net *net = luge__container(service, struct luge_net, service);
  luge__realloc(net->host, net, sizeof *net, 0);
}

static void create_net(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_pushboolean(L, 0); /* makes room for the key: nothing fails later */
  lua_rawsetp(L, LUA_REGISTRYINDEX, &net_key);
  struct luge_net *net = luge__alloc(L, sizeof *net);
  memset(net, 0, offsetof(struct luge_net, piece));
  net->host = host;
  net->service.stop = stop_net;
  net->service.freed = free_net;
  luge__list_init(&net->sockets);
  luge__list_init(&net->acceptors);
  luge__list_init(&net->dials);
  luge__service_start(host, &net->service);
  lua_pushlightuserdata(L, net);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &net_key);
}

int luge__open_net(lua_State *L) {
  static const luaL_Reg functions[] = {{"resolve", luge__net_resolve},
                                       {"addresses", luge__net_addresses},
                                       {"dial", luge__net_dial},
                                       {"dial_path", luge__net_dial_path},
                                       {"listen", luge__net_listen},
                                       {"listen_path", luge__net_listen_path},
                                       {NULL, NULL}};
  create_net(L);
  luge__connection_init(L);
  luge__acceptor_init(L);
  luge__targets_init(L);
  luaL_newlib(L, functions);
  return 1;
}
