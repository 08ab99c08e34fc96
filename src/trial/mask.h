#pragma once
// Signed text for people: its shape, and none of the persons in it.

#include <string>
#include <string_view>

namespace trial {

/// Replaces the values of a text and keeps what a comparison needs: names of parameters, members and components, punctuation,
/// line ends, blanks and lengths; letters become x, digits 9, characters outside of ASCII `?`. Values of technical names (time
/// stamps, versions, algorithms, methods, charsets) are kept. Text is read line by line as what it looks like: components of RFC
/// 9421, JSON, parameters joined by &; anything else is masked whole.
std::string mask(std::string_view text);
/// The same for the signing input of a JWS: the header as it is, the payload decoded and masked.
std::string mask_jws(std::string_view signing_input);
/// At most `bytes` of a text, cut in the middle with a word of how much is missing.
std::string abridged(std::string text, std::size_t bytes);

}  // namespace trial
