#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "cpu/signal.h"

namespace splitpoint {

// Cores that this process may use.
uint32_t usableCores();

// Threads that do parts of one job at a time; the caller is the first of them.
class ThreadPool {
 public:
  explicit ThreadPool(uint32_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  uint32_t threads() const { return uint32_t(workers_.size()) + 1; }
  // Runs part(0) … part(threads − 1) at once and returns when all have. The parts must not throw; one caller at a time.
  void run(const std::function<void(uint32_t)>& part);

 private:
  void work(uint32_t index);

  const std::function<void(uint32_t)>* part_ = nullptr;
  std::atomic<bool> ending_{false};
  std::atomic<uint32_t> left_{0};
  Signal round_;
  Signal done_;  // the round that all workers have finished
  std::vector<std::thread> workers_;
};

}  // namespace splitpoint
