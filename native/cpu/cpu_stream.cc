#include "cpu/cpu_stream.h"

#include <sys/prctl.h>

#include <utility>

namespace splitpoint {

CpuStream::CpuStream(std::function<void()> onFailure) : onFailure_(std::move(onFailure)), thread_([this] { work(); }) {}

CpuStream::~CpuStream() {
  cancel();
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CpuStream::push(Run run, const void* state, size_t bytes) {
  Header header{run, (sizeof(Header) + bytes + kAlignment - 1) / kAlignment * kAlignment};
  bool sleeping;
  {
    std::lock_guard lock(mutex_);
    if (cancelled_) return;
    size_t at = queued_.size();
    queued_.resize(at + header.bytes);
    std::memcpy(&queued_[at], &header, sizeof header);
    std::memcpy(&queued_[at + sizeof header], state, bytes);
    sleeping = !busy_ && at == 0;
  }
  if (sleeping) changed_.notify_all();
}

// The thread drops what is queued.
void CpuStream::cancel() { cancelled_ = true; }

bool CpuStream::idle(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return !busy_ && queued_.empty(); });
}

void CpuStream::settle() {
  std::lock_guard lock(mutex_);
  cancelled_ = false;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void CpuStream::work() {
  // Paced copies sleep for less than the 50 µs by which Linux likes to be late.
  prctl(PR_SET_TIMERSLACK, 1);
  std::vector<std::byte> records;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !queued_.empty(); });
    if (ending_) return;
    records.clear();
    records.swap(queued_);
    busy_ = true;
    lock.unlock();
    runAll(records);
    lock.lock();
    busy_ = false;
    if (queued_.empty()) changed_.notify_all();
  }
}

void CpuStream::runAll(std::vector<std::byte>& records) {
  size_t at = 0;
  while (at < records.size() && !cancelled_.load(std::memory_order_relaxed)) {
    Header header;
    std::memcpy(&header, &records[at], sizeof header);
    try {
      header.run(&records[at + sizeof header], cancelled_);
    } catch (...) {
      {
        std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
      }
      cancel();
      onFailure_();
    }
    at += header.bytes;
  }
}

}  // namespace splitpoint
