// The KVPR pipeline in SimGrid (3.32), to compare the engine with. Copies and kernels are executions on three hosts, one for each stream;
// communications would add routes and a network model to the same work.
//
//   kvpr actors|graph LAYERS STEPS COPY_ACTIVATION COPY_KV RECOMPUTE BLOCK STORE     (durations in seconds)
//
// actors: three actors hand over by semaphores, the usual way to write it.
// graph:  a task graph that completion callbacks keep two layers ahead (started all at once it is quadratic); more than twice as fast.
//
// Tried on both, with no gain beyond the noise of some per cent: optimisation modes Full and TI of the CPU model, its solver fair
// bottleneck, smaller stacks, no guard pages, the boost contexts, -O3 -flto, logging off. Slower: the solver bmf, the ucontext contexts.
// Measured is the processor time of Engine::run.
#include <simgrid/s4u.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>

namespace sg = simgrid::s4u;

namespace {

constexpr double kSpeed = 1e9;  // of each host, flop/s; work is counted in it so that SimGrid's absolute precision does not show
constexpr int kBuffers = 2;

struct Work {
  double copy_activation, copy_kv, recompute, block, store;
};

struct Hosts {
  sg::Host *h2d, *gpu, *d2h;
};

void start_actors(const Hosts& on, const Work& work, int rounds) {
  auto buffer_free = sg::Semaphore::create(kBuffers);
  auto activation_ready = sg::Semaphore::create(0);
  auto kv_ready = sg::Semaphore::create(0);
  auto block_done = sg::Semaphore::create(0);
  sg::Actor::create("h2d", on.h2d, [=] {
    for (int i = 0; i < rounds; i++) {
      buffer_free->acquire();
      sg::this_actor::execute(work.copy_activation);
      activation_ready->release();
      sg::this_actor::execute(work.copy_kv);
      kv_ready->release();
    }
  });
  sg::Actor::create("gpu", on.gpu, [=] {
    for (int i = 0; i < rounds; i++) {
      activation_ready->acquire();
      sg::this_actor::execute(work.recompute);
      kv_ready->acquire();
      sg::this_actor::execute(work.block);
      buffer_free->release();
      block_done->release();
    }
  });
  sg::Actor::create("d2h", on.d2h, [=] {
    for (int i = 0; i < rounds; i++) {
      block_done->acquire();
      sg::this_actor::execute(work.store);
    }
  });
}

class Graph {
 public:
  Graph(const Hosts& on, const Work& work, int rounds) : on_(on), work_(work), rounds_(rounds) {}

  void start() {
    sg::Activity::on_completion_cb([this](const sg::Activity& activity) {
      if (ahead_.empty() || &activity != ahead_.front().block.get()) return;
      add_layer();
      storing_.push_back(std::move(ahead_.front()));
      ahead_.pop_front();
      // Released one late: SimGrid still works on a completed activity when it calls back.
      while (storing_.size() > 1 && finished(storing_[1].store)) storing_.pop_front();
    });
    for (int i = 0; i < kBuffers; i++) add_layer();
  }

 private:
  struct Layer {
    sg::ExecPtr copy_activation, copy_kv, recompute, block, store;
  };

  void add_layer() {
    if (added_++ >= rounds_) return;
    Layer layer{exec(on_.h2d, work_.copy_activation), exec(on_.h2d, work_.copy_kv), exec(on_.gpu, work_.recompute),
                exec(on_.gpu, work_.block), exec(on_.d2h, work_.store)};
    after(before_.copy_kv, layer.copy_activation);
    after(two_before_.block, layer.copy_activation);
    after(layer.copy_activation, layer.copy_kv);
    after(layer.copy_activation, layer.recompute);
    after(before_.block, layer.recompute);
    after(layer.recompute, layer.block);
    after(layer.copy_kv, layer.block);
    after(layer.block, layer.store);
    after(before_.store, layer.store);
    for (auto* activity : {&layer.copy_activation, &layer.copy_kv, &layer.recompute, &layer.block, &layer.store})
      (*activity)->vetoable_start();
    two_before_ = before_;
    before_ = layer;
    ahead_.push_back(std::move(layer));
  }

  static bool finished(const sg::ExecPtr& activity) { return activity->get_state() == sg::Activity::State::FINISHED; }

  static sg::ExecPtr exec(sg::Host* host, double work) {
    auto activity = sg::Exec::init();
    activity->set_flops_amount(work)->set_host(host);
    return activity;
  }

  static void after(const sg::ExecPtr& first, const sg::ExecPtr& then) {
    if (first && !finished(first)) first->add_successor(then);
  }

  Hosts on_;
  Work work_;
  int rounds_;
  int added_ = 0;
  std::deque<Layer> ahead_, storing_;
  Layer before_, two_before_;
};

}  // namespace

int main(int argc, char** argv) {
  sg::Engine engine(&argc, argv);
  if (argc != 9 || (std::strcmp(argv[1], "actors") != 0 && std::strcmp(argv[1], "graph") != 0)) {
    std::fprintf(stderr, "usage: %s actors|graph LAYERS STEPS COPY_ACTIVATION COPY_KV RECOMPUTE BLOCK STORE\n", argv[0]);
    return 2;
  }
  const int rounds = std::atoi(argv[2]) * std::atoi(argv[3]);
  auto work_of = [argv](int i) { return kSpeed * std::atof(argv[i]); };
  const Work work{work_of(4), work_of(5), work_of(6), work_of(7), work_of(8)};

  auto* zone = sg::create_full_zone("node");
  const Hosts on{zone->create_host("h2d", kSpeed)->seal(), zone->create_host("gpu", kSpeed)->seal(),
                 zone->create_host("d2h", kSpeed)->seal()};
  zone->seal();

  Graph graph(on, work, rounds);
  if (std::strcmp(argv[1], "actors") == 0) {
    start_actors(on, work, rounds);
  } else {
    graph.start();
  }

  const std::clock_t begin = std::clock();
  engine.run();
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const int activities = 5 * rounds;
  std::printf("{\"activities\":%d,\"seconds\":%.9g,\"activitiesPerSecond\":%.9g,\"simulatedSeconds\":%.15g}\n", activities, seconds,
              activities / seconds, sg::Engine::get_clock());
  return 0;
}
