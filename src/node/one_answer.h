#pragma once
// Waits for the one answer to something that was submitted to the pipeline.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "node/submission.h"

namespace node {

/// Outlives the answer. One thread waits; the answer comes on the pipeline's.
class OneAnswer final : public AnswerSink {
 public:
  void deliver(std::uint64_t, Answer&& answer) override {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    arrived_.notify_one();
  }
  Answer wait() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return answer_.has_value(); });
    return *std::move(answer_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Answer> answer_;
};

}  // namespace node
