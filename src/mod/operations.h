/* A table of what each function that scripts can call does to the outside
 * world: its (first) operation, or none. A function of luge's own modules that
 * is missing in it does not work in a host that restricts its scripts, and
 * fails tests/lua/permission_table_test.lua. Methods have no entries: a script
 * that has the userdata was permitted to make it. */
#ifndef LUGE_MOD_OPERATIONS_H
#define LUGE_MOD_OPERATIONS_H

#include <stdbool.h>

#include "../core/operation.h"

/* Finds the first operation of a function, by its full name, such as "io.open";
 * LUGE_OP_NONE: it does nothing outside. False: it has no entry. */
bool luge__operation_of(const char *function, enum luge_operation *operation);

#endif
