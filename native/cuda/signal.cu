#include "cuda/kernels.h"

namespace splitpoint {
namespace {

__device__ uint64_t nanoseconds() {
  uint64_t time;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time));
  return time;
}

__global__ void signalWord(volatile uint32_t* word, uint32_t value) {
  __threadfence_system();  // what was done before is seen before the word
  *word = value;
}

__global__ void awaitWord(const volatile uint32_t* word, uint32_t value, uint64_t limitNanoseconds,
                          volatile uint32_t* expired) {
  uint64_t begin = nanoseconds();
  while (int32_t(*word - value) < 0) {
    if (nanoseconds() - begin > limitNanoseconds) {
      if (expired) *expired = 1;
      break;
    }
    __nanosleep(200);
  }
  __threadfence_system();
}

}  // namespace

Launch signalLaunch(uint32_t* word, uint32_t value) { return launchOf(signalWord, 1, 1, 0, word, value); }

Launch awaitLaunch(const uint32_t* word, uint32_t value, double seconds, uint32_t* expired) {
  return launchOf(awaitWord, 1, 1, 0, word, value, uint64_t(seconds * 1e9), expired);
}

}  // namespace splitpoint
