#pragma once

#include <napi.h>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "addon/plan_columns.h"
#include "core/executor.h"

namespace splitpoint::addon {

// ExecuteOptions of exec/native.ts as JavaScript gave them.
struct AskedExecution {
  std::vector<Capture> captures;
  Napi::Function onProgress;  // empty where nobody asks
};

// Runs getters of JavaScript, which may do anything to sessions and plans. Throws a TypeError for what is no option.
AskedExecution askedExecution(Napi::Value options);

// An execution on a thread of its own, and the promise of its result. Used from the thread of its environment alone,
// but for what says otherwise. It ends before its environment and before the process do.
class RunningExecution : public std::enable_shared_from_this<RunningExecution> {
 public:
  // `onEnd` is called before the promise is settled, and where this throws.
  static std::shared_ptr<RunningExecution> start(Napi::Env env, std::shared_ptr<Executor> executor,
                                                 const PlanColumns& columns, const AskedExecution& asked,
                                                 std::function<void()> onEnd);
  ~RunningExecution();

  Napi::Promise promise() const { return deferred_.Promise(); }
  // From any thread.
  void cancel() { cancel_ = true; }
  // Ends it and waits for its thread. From any thread, once at a time.
  void stop();

 private:
  RunningExecution(Napi::Env env, std::shared_ptr<Executor> executor, const PlanColumns& columns,
                   const AskedExecution& asked);

  void launch();
  void execute();
  void noteProgress(uint32_t done, uint32_t of);
  // In JavaScript's thread.
  void tellProgress();
  void finish();
  Napi::Object resultObject();
  void forgetEnvironment();
  // Gives up the hook at the environment's end as well, while there is an environment.
  void leaveEnvironment();

  static void onMessage(napi_env env, napi_value, void* context, void* message);
  static void onEnvironmentEnd(void* execution);

  const Napi::Env env_;
  std::shared_ptr<Executor> executor_;
  const Plan plan_;
  ExecuteOptions options_;
  std::function<void()> onEnd_;
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference arrays_;
  Napi::FunctionReference onProgress_;
  napi_threadsafe_function messages_ = nullptr;

  std::thread thread_;
  std::atomic<bool> cancel_{false};
  // Progress that JavaScript has not been told yet: one message at a time.
  std::atomic<bool> progressWaits_{false};
  std::atomic<uint32_t> done_{0};
  std::exception_ptr failure_;
  Execution result_;
};

}  // namespace splitpoint::addon
