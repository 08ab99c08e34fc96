#pragma once
// A scenario as it is written: Markdown whose fenced blocks and balance tables are what happens, in order. Everything else
// is for the reader.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scenario {

struct Line {
  std::size_t number = 0;  ///< in the file, from 1
  std::string text;
};

/// A fenced block, or a table of accounts.
struct Block {
  std::size_t line = 0;               ///< of the fence, or of the table's head
  std::string kind;                   ///< first word behind the fence; `balances` for a table
  std::string argument;               ///< what follows it
  std::vector<Line> lines;            ///< between the fences; of a table: its rows, the head first
};

struct Document {
  std::string path;                   ///< for messages
  std::vector<Block> blocks;
};

/// Reads the blocks. A fence without a language, and tables whose first head cell is not `account`, are prose. A fence that
/// is never closed ends with the file.
Document read_document(std::string path, std::string_view text);

/// The cells of one table row, trimmed; back ticks around a cell are taken off.
std::vector<std::string> cells_of(std::string_view row);

/// `text` without blanks at its ends.
std::string_view trimmed(std::string_view text);

}  // namespace scenario
