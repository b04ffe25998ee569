#include "cpu/thread_pool.h"

#include <sched.h>

#include <algorithm>

namespace splitpoint {

uint32_t usableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return uint32_t(std::max(CPU_COUNT(&set), 1));
  // Machines with more cores than a cpu_set_t holds.
  return std::max(std::thread::hardware_concurrency(), 1u);
}

ThreadPool::ThreadPool(uint32_t threads) {
  for (uint32_t index = 1; index < threads; ++index) workers_.emplace_back([this, index] { work(index); });
}

ThreadPool::~ThreadPool() {
  ending_ = true;
  round_.set(round_.value() + 1);
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(const std::function<void(uint32_t)>& part) {
  if (workers_.empty()) return part(0);
  uint32_t previous = round_.value();
  part_ = &part;
  left_.store(uint32_t(workers_.size()), std::memory_order_relaxed);
  round_.set(previous + 1);
  part(0);
  while (done_.value() != previous + 1) done_.awaitChange(previous);
}

void ThreadPool::work(uint32_t index) {
  for (uint32_t round = 0;; ++round) {
    round_.awaitChange(round);
    if (ending_) return;
    (*part_)(index);
    if (left_.fetch_sub(1) == 1) done_.set(round + 1);
  }
}

}  // namespace splitpoint
