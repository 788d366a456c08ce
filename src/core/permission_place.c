/* Deciding about paths that are looked up at once; see permission.h. */
#include <string.h>

#include "class.h"
#include "error.h"
#include "permission.h"
#include "place.h"

static int leave_place(lua_State *L) {
  luge__place_leave(lua_touserdata(L, 1));
  return 0;
}

static struct luge_place *push_place(lua_State *L) {
  static const char class_key = 0; /* registry: the metatable */
  struct luge_place *place = lua_newuserdatauv(L, sizeof *place, 0);
  *place = luge__place_here("");
  luge__class_collect(L, &class_key, leave_place);
  return place;
}

struct luge_place *luge__permit_place(lua_State *L,
                                      enum luge_operation operation,
                                      enum luge_operation other,
                                      const char *path, bool follow,
                                      int *error) {
  struct luge_place *place = push_place(L);
  *error = 0;
  if (luge__is_trusted(luge__host(L))) {
    *place = luge__place_here(path);
    return place;
  }
  *error = luge__place_find(place, path, follow);
  if (place->path != NULL) {
    luge__permit(L, operation, place->path);
    if (other != LUGE_OP_NONE && other != operation) {
      luge__permit(L, other, place->path);
    }
  }
  return place;
}

const char *luge__permit_path(lua_State *L, enum luge_operation operation,
                              enum luge_operation other, const char *path) {
  int error;
  if (luge__is_trusted(luge__host(L))) {
    return lua_pushstring(L, path);
  }
  struct luge_place *place =
      luge__permit_place(L, operation, other, path, true, &error);
  if (error != 0) {
    luge__push_error(L, "io", "cannot open %s: %s", path, strerror(error));
    lua_pushstring(L, path);
    lua_setfield(L, -2, "path");
    lua_error(L);
  }
  const char *real = lua_pushstring(L, place->path);
  luge__place_leave(place);
  lua_remove(L, -2);
  return real;
}
