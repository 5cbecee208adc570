#include "json.hpp"

#include <cctype>
#include <cstdlib>
#include <cstring>

namespace hailort_double {

namespace {

// Parser walks a JSON value and notes the members that matter.
class Parser {
public:
    Parser(const std::string &text, Message &message) : m_at(text.c_str()), m_message(message) {}

    bool whole() {
        blanks();
        if ('{' != *m_at || !value("")) {
            return false;
        }
        blanks();
        return '\0' == *m_at;
    }

private:
    void blanks() {
        while (isspace(static_cast<unsigned char>(*m_at))) {
            m_at++;
        }
    }

    bool take(char c) {
        blanks();
        if (c != *m_at) {
            return false;
        }
        m_at++;
        return true;
    }

    bool string(std::string &out) {
        if (!take('"')) {
            return false;
        }
        for (; '"' != *m_at; m_at++) {
            if (static_cast<unsigned char>(*m_at) < 0x20) { // the end too
                return false;
            }
            if ('\\' != *m_at) {
                out += *m_at;
                continue;
            }
            m_at++;
            static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
            if ('u' == *m_at) {
                for (int i = 1; i <= 4; i++) {
                    if (!isxdigit(static_cast<unsigned char>(m_at[i]))) {
                        return false;
                    }
                }
                const long code = strtol(std::string(m_at + 1, 4).c_str(), nullptr, 16);
                out += code < 0x80 ? static_cast<char>(code) : '?'; // enough for what tests look at
                m_at += 4;
            } else if (const char *found = '\0' == *m_at ? nullptr : strchr(names, *m_at)) {
                out += values[found - names];
            } else {
                return false;
            }
        }
        m_at++;
        return true;
    }

    void note(const std::string &key, const std::string &text) {
        if ("role" == key) {
            m_message.role = text;
        } else if ("text" == key || "content" == key) {
            m_message.text += text;
        } else if ("type" == key && "image" == text) {
            m_message.images++;
        }
    }

    bool value(const std::string &key) {
        blanks();
        switch (*m_at) {
        case '{': return members();
        case '[': return elements();
        case '"': {
            std::string text;
            if (!string(text)) {
                return false;
            }
            note(key, text);
            return true;
        }
        }
        for (const char *word : {"true", "false", "null"}) {
            if (0 == strncmp(m_at, word, strlen(word))) {
                m_at += strlen(word);
                return true;
            }
        }
        char *end = nullptr;
        strtod(m_at, &end);
        if (end == m_at) {
            return false;
        }
        m_at = end;
        return true;
    }

    bool members() {
        take('{');
        if (take('}')) {
            return true;
        }
        do {
            std::string name;
            if (!string(name) || !take(':') || !value(name)) {
                return false;
            }
        } while (take(','));
        return take('}');
    }

    bool elements() {
        take('[');
        if (take(']')) {
            return true;
        }
        do {
            if (!value("")) {
                return false;
            }
        } while (take(','));
        return take(']');
    }

    const char *m_at;
    Message &m_message;
};

} // namespace

bool Message::parse(const std::string &json, Message &message) { return Parser(json, message).whole(); }

} // namespace hailort_double
