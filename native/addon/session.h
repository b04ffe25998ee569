#pragma once

#include <napi.h>

#include <memory>

#include "addon/execution.h"
#include "core/executor.h"

namespace splitpoint::addon {

// NativeSession of exec/native.ts: an object whose functions share an Executor, which is freed by `close` or when they
// are all collected.
class Session : public std::enable_shared_from_this<Session> {
 public:
  static Napi::Object open(Napi::Env env, Napi::Value plan, Napi::Value options);

 private:
  explicit Session(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}

  void fill(const Napi::CallbackInfo& info);
  void poison(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  void write(const Napi::CallbackInfo& info);
  Napi::Value execute(const Napi::CallbackInfo& info);
  void cancel();
  void close();

  // Throws unless it is open and nothing runs. To be asked after all values have been read: reading them may run
  // JavaScript that closes the session or executes a plan.
  Executor& idle(Napi::Env env);
  void startExecution(const Napi::CallbackInfo& info);

  std::shared_ptr<Executor> executor_;
  std::shared_ptr<RunningExecution> running_;
};

}  // namespace splitpoint::addon
