#include "model/account.h"

namespace model {

std::string to_text(const Asset& asset) {
  std::string text;
  for (char c : asset.code) {
    if (c == 0) break;
    text.push_back(c);
  }
  return text + "/" + std::to_string(asset.scale);
}

bool is_asset_code(std::string_view text) {
  if (text.empty() || text.size() > AssetCode{}.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool letter = c >= 'A' && c <= 'Z';
    if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '.'))) return false;
  }
  return true;
}

std::optional<Asset> parse_asset(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !is_asset_code(text.substr(0, slash))) return std::nullopt;
  Asset asset;
  for (std::size_t i = 0; i < slash; ++i) asset.code[i] = text[i];
  const auto scale = base::parse_decimal(text.substr(slash + 1));
  if (!scale || *scale > asset_scale_max) return std::nullopt;
  asset.scale = static_cast<std::uint8_t>(*scale);
  return asset;
}

bool is_account_name(std::string_view text) {
  if (text.empty() || text.size() > account_name_size_max) return false;
  std::size_t part_start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '/') {
      const std::string_view part = text.substr(part_start, i - part_start);
      if (part.empty() || part == "." || part == "..") return false;
      part_start = i + 1;
      continue;
    }
    const char c = text[i];
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '.' || c == '_' || c == '~' || c == ':' || c == '@';
    if (!good) return false;
  }
  return true;
}

}  // namespace model
