/* The tables of a store, and how a file is known to be one. */
#ifndef LUGE_STORE_SCHEMA_H
#define LUGE_STORE_SCHEMA_H

#include "database.h"

/* The text of a statement. */
const char *luge__schema_sql(enum luge_statement name);

/* Looks whether the open file is a store, and makes it one if it is empty.
 * Changes nothing in a file that is something else. */
int luge__schema_check(struct luge_database *database);

#endif
