/* Parcels: values on their way from one Lua state to another, as bytes that
 * belong to no state and to no thread. They hold nil, booleans, numbers,
 * strings, json.null, and tables of these, of which shared ones and cycles
 * stay what they are; the only metatables are those of luge's errors and of
 * json.array and json.object. The bytes are malloc'ed, since the allocator of
 * a host is for its own thread; their number is limited. */
#ifndef LUGE_MOD_PARCEL_H
#define LUGE_MOD_PARCEL_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

enum { LUGE_PARCEL_DEPTH = 1000 };

struct luge_parcel {
  char *bytes;
  size_t length, capacity;
  size_t limit;       /* of the length */
  int count;          /* of the values */
  unsigned tables;    /* in them */
  bool shared;        /* a table comes more than once */
  bool takes_openers; /* C functions without upvalues too: pointers */
};

/* How a value is taken apart, and put together. */
enum luge_parcel_tag {
  LUGE_PARCEL_NIL,
  LUGE_PARCEL_FALSE,
  LUGE_PARCEL_TRUE,
  LUGE_PARCEL_INTEGER,
  LUGE_PARCEL_FLOAT,
  LUGE_PARCEL_STRING,
  LUGE_PARCEL_NULL,
  LUGE_PARCEL_OPENER,
  LUGE_PARCEL_SEEN,  /* a table that came before, by its number */
  LUGE_PARCEL_TABLE, /* and so one with the metatable of ... */
  LUGE_PARCEL_ERROR,
  LUGE_PARCEL_ARRAY,
  LUGE_PARCEL_OBJECT,
  LUGE_PARCEL_END /* of a table's fields */
};

/* Adds the values from `first` on top of the stack. Raises `invalid`, which
 * names the place of what cannot be copied ("argument 2.items[3]": `what` is
 * "argument"); `limit`; and memory. The parcel stays the caller's to free. */
void luge__parcel_pack(lua_State *L, struct luge_parcel *parcel, int first,
                       const char *what);

/* Adds the error on top of the stack. What cannot be copied is replaced by a
 * text that says what it was. */
void luge__parcel_pack_error(lua_State *L, struct luge_parcel *parcel);

/* Pushes the values and returns their number. Raises memory. */
int luge__parcel_unpack(lua_State *L, const struct luge_parcel *parcel);

void luge__parcel_free(struct luge_parcel *parcel);

#endif
