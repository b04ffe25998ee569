#include "core/run.h"

#include <algorithm>
#include <chrono>

#include "core/command.h"
#include "core/gates.h"

namespace splitpoint {

namespace {

// How often a run is looked at: for progress and for the wish to end it.
constexpr double kPollSeconds = 0.05;

struct ByOperation {
  bool operator()(const Keep& keep, uint32_t operation) const { return keep.operation < operation; }
  bool operator()(uint32_t operation, const Keep& keep) const { return operation < keep.operation; }
  bool operator()(const Keep& a, const Keep& b) const { return a.operation < b.operation; }
};

Copy copyOf(const Keep& keep, std::span<const uintptr_t> memory) {
  const Range& range = keep.source.range;
  const void* source = reinterpret_cast<const void*>(memory[keep.source.buffer] + range.offset);
  return {source, keep.target, range.rowBytes, range.rows, range.stride, range.rowBytes};
}

}  // namespace

Run::Run(Device& device, const Plan& plan, std::span<const uintptr_t> memory, const std::vector<Keep>& keeps,
         const ExecuteOptions& options)
    : device_(device), plan_(plan), memory_(memory), options_(options), waits_(plan), keeps_(keeps) {
  std::sort(keeps_.begin(), keeps_.end(), ByOperation());
}

Execution Run::run() {
  result_.startSeconds.assign(plan_.count, 0);
  result_.endSeconds.assign(plan_.count, 0);
  try {
    for (uint32_t end : gateEnds(plan_, device_.gateLimit())) {
      runGate(end_, end);
      if (result_.cancelled) break;
    }
  } catch (...) {
    abandon();
    throw;
  }
  return std::move(result_);
}

void Run::runGate(uint32_t begin, uint32_t end) {
  begin_ = begin;
  end_ = end;
  numberEvents();
  device_.resetEvents(eventCount_);
  const auto before = std::chrono::steady_clock::now();
  device_.closeGate();
  enqueueGate();
  result_.enqueueSeconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  if (!result_.cancelled) result_.enqueueSeconds += device_.openGate();
  ++result_.gates;
  waitUntilDrained();
  if (result_.cancelled) return;
  noteTimes();
  done_ = end;
  if (options_.progress) options_.progress(done_, plan_.count);
}

// An operation that waits for nothing starts when the one before it ends; then one event says both.
void Run::numberEvents() {
  events_.resize(end_ - begin_);
  eventCount_ = kOpening + 1;
  std::array<uint32_t, kStreams> last;
  last.fill(kOpening);
  for (uint32_t i = begin_; i < end_; ++i) {
    Events& events = events_[i - begin_];
    uint32_t& before = last[streamOf(i)];
    const std::span<const uint32_t> waits = waits_.of(i);
    const bool waited = std::any_of(waits.begin(), waits.end(), [&](uint32_t on) { return on >= begin_; });
    events.hasOwnStart = waited || before == kOpening;
    events.start = events.hasOwnStart ? eventCount_++ : before;
    events.end = eventCount_++;
    const bool keeps = std::binary_search(keeps_.begin(), keeps_.end(), i, ByOperation());
    events.released = keeps ? eventCount_++ : events.end;
    before = events.released;
  }
}

void Run::enqueueGate() {
  device_.record(kCompute, kOpening, false);
  for (uint32_t i = begin_; i < end_; ++i) {
    if (cancelled()) {
      result_.cancelled = true;
      device_.cancel();
      return;
    }
    enqueueOperation(i);
  }
}

void Run::enqueueOperation(uint32_t i) {
  const Stream stream = streamOf(i);
  const Events& events = events_[i - begin_];
  for (uint32_t on : waits_.of(i)) {
    if (on >= begin_) device_.wait(stream, events_[on - begin_].released);
  }
  if (events.hasOwnStart) device_.record(stream, events.start, false);
  for (const Command& command : commandsOf(plan_, i, memory_)) enqueue(device_, stream, command);
  const bool crosses = waits_.crosses(i);
  device_.record(stream, events.end, crosses);
  if (events.released == events.end) return;
  auto [first, last] = std::equal_range(keeps_.begin(), keeps_.end(), i, ByOperation());
  for (auto keep = first; keep != last; ++keep) device_.capture(stream, copyOf(*keep, memory_));
  device_.record(stream, events.released, crosses);
}

void Run::waitUntilDrained() {
  seen_.fill(begin_);
  while (!device_.drained(kPollSeconds)) {
    if (!result_.cancelled && cancelled()) {
      result_.cancelled = true;
      device_.cancel();
    }
    if (!result_.cancelled) reportProgress();
  }
}

void Run::noteTimes() {
  double last = 0, first = 0;
  for (uint32_t i = begin_; i < end_; ++i) {
    const Events& events = events_[i - begin_];
    result_.startSeconds[i] = device_.secondsBetween(kOpening, events.start);
    result_.endSeconds[i] = device_.secondsBetween(kOpening, events.end);
    // Streams do not pass the gate at the very same time.
    first = std::min(first, result_.startSeconds[i]);
    last = std::max(last, result_.endSeconds[i]);
  }
  for (uint32_t i = begin_; i < end_; ++i) {
    result_.startSeconds[i] += elapsed_ - first;
    result_.endSeconds[i] += elapsed_ - first;
  }
  elapsed_ += last - first;
}

void Run::reportProgress() {
  if (!options_.progress) return;
  for (int s = 0; s < kStreams; ++s) {
    for (uint32_t& i = seen_[s]; i < end_; ++i) {
      if (streamOf(i) != s) continue;
      if (!device_.reached(events_[i - begin_].end)) break;
      ++done_;
    }
  }
  options_.progress(done_, plan_.count);
}

void Run::abandon() noexcept {
  try {
    device_.cancel();
    while (!device_.drained(kPollSeconds)) {
    }
  } catch (...) {
    // What made the run fail says more than that the device fails again.
  }
}

}  // namespace splitpoint
