/* The table of operations; see operation.h. */
#include "operation.h"

static const struct {
  const char *name;
  enum luge_capability capability;
} operations[] = {{"none", LUGE_CAP_HOST},
#define ENTRY(id, name, capability) {name, LUGE_CAP_##capability},
                  LUGE_OPERATIONS(ENTRY)
#undef ENTRY
};

const char *luge__capability_name(enum luge_capability capability) {
  static const char *const names[] = {"net", "read", "write", "env",
                                      "run", "host", "signal"};
  return names[capability];
}

const char *luge__operation_name(enum luge_operation operation) {
  return operations[operation].name;
}

enum luge_capability luge__operation_capability(enum luge_operation operation) {
  return operations[operation].capability;
}
