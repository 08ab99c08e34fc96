#include "base/check.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace base {

namespace {

// Collects the sentence in memory of its own, so that one write puts it out whole; what does not fit is cut.
class Sentence {
 public:
  void add(std::string_view part) {
    for (char c : part) {
      if (size_ < text_.size()) text_[size_++] = c;
    }
  }
  void add(int number) {
    std::array<char, 12> digits{};
    std::size_t at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0 && at > 0);
    add(std::string_view(digits.data() + at, digits.size() - at));
  }
  void put() const {
    // Nobody is left to hear that even this failed.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text_.data(), size_);
  }

 private:
  std::array<char, 1024> text_{};
  std::size_t size_ = 0;
};

// The part of a path from `src/` on: how the compiler was called must not show in what we say.
std::string_view within_tree(std::string_view file) {
  const std::size_t at = file.rfind("src/");
  return at == std::string_view::npos ? file : file.substr(at);
}

}  // namespace

void check_failed(const char* condition, const char* file, int line, const char* why) noexcept {
  Sentence sentence;
  sentence.add("holdfast: broken: ");
  sentence.add(within_tree(file));
  sentence.add(":");
  sentence.add(line);
  sentence.add(": CHECK(");
  sentence.add(condition);
  sentence.add(*why != 0 ? ") failed: " : ") failed");
  sentence.add(why);
  sentence.add("\n");
  sentence.put();
  std::abort();
}

}  // namespace base
