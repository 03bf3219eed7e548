package webhook

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Form is how a receiver wants a message.
type Form string

// The forms.
const (
	JSON  Form = "json"  // the message as it is
	WeCom Form = "wecom" // 企业微信群机器人: markdown
	Slack Form = "slack" // text, in mrkdwn
)

// UnmarshalText takes one of the forms.
func (f *Form) UnmarshalText(text []byte) error {
	switch form := Form(text); form {
	case JSON, WeCom, Slack:
		*f = form
		return nil
	}
	return fmt.Errorf("%.20q is no form: want %s, %s or %s", text, JSON, WeCom, Slack)
}

// Message is what is said: a title, lines of a name and what there is to say of it, and links.
type Message struct {
	Title string
	Lines []Line
	Links []Link
	// Data is the same for programs: what the form JSON sends.
	Data any
}

// Line is one line of a message.
type Line struct{ Name, Text string }

// Link is a link of a message.
type Link struct{ Text, URL string }

// maxWeCom is how many bytes of markdown a robot of WeCom takes (企业微信, "群机器人配置说明").
const maxWeCom = 4096

// linkLeftOut stands for links that are too long for a message.
const linkLeftOut = "\n(link left out: too long for this message)"

// Body is a message in a form.
func (f Form) Body(m Message) ([]byte, error) {
	switch f {
	case WeCom:
		return json.Marshal(map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": m.wecom()}})
	case Slack:
		return json.Marshal(map[string]string{"text": m.slack()})
	}
	return json.Marshal(m.Data)
}

// Accept is what [Hook] has to look for in the answer of a form; nil where the status says all.
func (f Form) Accept() func([]byte) error {
	if f != WeCom {
		return nil
	}
	return func(body []byte) error {
		var answer struct {
			Code    *int   `json:"errcode"`
			Message string `json:"errmsg"`
		}
		if err := json.Unmarshal(body, &answer); err != nil || answer.Code == nil {
			return fmt.Errorf("the receiver's answer has no errcode: %s", excerpt(body))
		}
		switch *answer.Code {
		case 0:
			return nil
		case -1, 45009: // busy; more than 20 messages a minute
			return fmt.Errorf("%w: errcode %d: %s", ErrPassing, *answer.Code, excerpt([]byte(answer.Message)))
		}
		return fmt.Errorf("the receiver answers errcode %d: %s", *answer.Code, excerpt([]byte(answer.Message)))
	}
}

// wecom is the message in its markdown, which has tags for colours. What does not fit is left out: first lines, then links
// from the last on, which are long where they are signed with a role's token.
func (m Message) wecom() string {
	plain := strings.NewReplacer("<", "＜", ">", "＞", "`", "'", "*", "＊", "[", "［", "]", "］", "\n", " ", "\r", " ")
	out := "### " + cut(plain.Replace(m.Title), 400)
	var links string
	for _, l := range m.Links {
		link := fmt.Sprintf("\n[%s](%s)", plain.Replace(l.Text), l.URL)
		if len(out)+len(links)+len(link)+len(linkLeftOut) > maxWeCom {
			links += linkLeftOut
			break
		}
		links += link
	}
	for _, l := range m.Lines {
		line := fmt.Sprintf("\n> %s: **%s**", cut(plain.Replace(l.Name), 400), plain.Replace(l.Text))
		if len(out)+len(line)+len(links) > maxWeCom {
			break
		}
		out += line
	}
	return out + links
}

// slack is the message in mrkdwn (Slack, "Formatting text": three characters are escaped).
func (m Message) slack() string {
	plain := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", " ", "\r", " ")
	out := "*" + plain.Replace(m.Title) + "*"
	for _, l := range m.Lines {
		out += fmt.Sprintf("\n• %s: *%s*", plain.Replace(l.Name), plain.Replace(l.Text))
	}
	for _, l := range m.Links {
		out += fmt.Sprintf("\n<%s|%s>", strings.NewReplacer(">", "%3E", "|", "%7C", "<", "%3C").Replace(l.URL), plain.Replace(l.Text))
	}
	return out
}

// cut shortens a text to so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
