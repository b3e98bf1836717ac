/*
 * The one function of libatomic that the Node.js runtime calls, for Linux hosts that lack the library. Only
 * bin/cpn-agent of a release uses it, and only where the host's own is missing. Built by build.sh; it needs no libc.
 */
typedef __SIZE_TYPE__ size;
typedef unsigned __int128 u128;

#define EXCHANGE(type)                                                                                 \
  {                                                                                                    \
    type want, put;                                                                                    \
    __builtin_memcpy(&want, expected, sizeof(type));                                                   \
    __builtin_memcpy(&put, desired, sizeof(type));                                                     \
    type found = __sync_val_compare_and_swap((type *)object, want, put);                               \
    if (found == want) return 1;                                                                       \
    __builtin_memcpy(expected, &found, sizeof(type));                                                  \
    return 0;                                                                                          \
  }

static char busy;

/* Sizes that no instruction covers: one lock for all of them, held for the time of a short copy. */
static _Bool locked_exchange(size bytes, char *object, char *expected, const char *desired) {
  while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE)) {
  }
  _Bool same = 1;
  for (size at = 0; at < bytes; at++) same = same && object[at] == expected[at];
  volatile char *to = same ? object : expected;
  const char *from = same ? desired : object;
  for (size at = 0; at < bytes; at++) to[at] = from[at];
  __atomic_clear(&busy, __ATOMIC_RELEASE);
  return same;
}

/* https://gcc.gnu.org/wiki/Atomic/GCCMM/LIbrary: the orders are always taken as sequentially consistent. */
_Bool compare_exchange(size bytes, void *object, void *expected, void *desired, int success, int failure)
    __asm__("__atomic_compare_exchange");

_Bool compare_exchange(size bytes, void *object, void *expected, void *desired, int success, int failure) {
  (void)success;
  (void)failure;
  if (((size)object & (bytes - 1)) == 0) {
    switch (bytes) {
      case 1: EXCHANGE(unsigned char)
      case 2: EXCHANGE(unsigned short)
      case 4: EXCHANGE(unsigned int)
      case 8: EXCHANGE(unsigned long)
      case 16: EXCHANGE(u128)
    }
  }
  return locked_exchange(bytes, object, expected, desired);
}
