/* Intrusive doubly linked lists: a head and its members are `luge_list`s in a
 * ring, so that a member leaves in constant time and nothing is allocated.
 * A member that is on no list points to itself, or is all zero. */
#ifndef LUGE_CORE_LIST_H
#define LUGE_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct luge_list {
  struct luge_list *next, *prev;
};

/* The struct of `type` whose member `field` is at `ptr`. */
#define luge__container(ptr, type, field)                                      \
  ((type *)(void *)((char *)(ptr)-offsetof(type, field)))

static inline void luge__list_init(struct luge_list *list) {
  list->next = list->prev = list;
}

static inline bool luge__list_empty(const struct luge_list *head) {
  return head->next == head;
}

static inline bool luge__list_linked(const struct luge_list *member) {
  return member->next != NULL && member->next != member;
}

static inline void luge__list_append(struct luge_list *head,
                                     struct luge_list *member) {
  member->prev = head->prev;
  member->next = head;
  head->prev->next = member;
  head->prev = member;
}

static inline void luge__list_remove(struct luge_list *member) {
  if (luge__list_linked(member)) {
    member->prev->next = member->next;
    member->next->prev = member->prev;
  }
  luge__list_init(member);
}

#endif
