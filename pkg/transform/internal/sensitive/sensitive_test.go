package sensitive_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/transform/internal/sensitive"
)

const every = sensitive.Email | sensitive.Phone | sensitive.IDCard | sensitive.BankCard | sensitive.IP

func cover(text string, kinds sensitive.Kind) string {
	out, found := sensitive.Cover{IPv4: 24, IPv6: 48}.All(nil, []byte(text), kinds)
	if !found {
		return text
	}
	return string(out)
}

func TestCover(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"an e-mail address keeps its first letter and domain", "to someone@example.com, now", "to s***@example.com, now"},
		{"an e-mail address of digits is no phone number", "13800138000@qq.com", "1***@qq.com"},
		{"a domain that holds a number goes too", "a@13800138000.com", "a***@***"},
		{"no domain, no e-mail", "a@b and @c.d and e@", "a@b and @c.d and e@"},
		{"a Chinese mobile number", "tel:13800138000.", "tel:138****8000."},
		{"with the code of the country", "+8613800138000 8613800138000 008613800138000", "+861******8000 861******8000 008********8000"},
		{"in groups", "138-0013-8000 or 138 0013 8000", "138-****-8000 or 138 **** 8000"},
		{"a number of E.164", "call +1 (415) 555-2671 now", "call +1 (41*) ***-2671 now"},
		{"twelve digits are no mobile number", "138001380001", "138001380001"},
		{"an identity card", "id=11010519491231002X;", "id=110***********002X;"},
		{"a wrong check digit is no identity card", "110105194912310021", "110105194912310021"},
		{"a bank card", "card 4111111111111111", "card 411111******1111"},
		{"a bank card in groups", "4111 1111 1111 1111 and 3782-822463-10005", "4111 11** **** 1111 and 3782-82****-*0005"},
		{"a wrong check digit is no bank card", "4111111111111112", "4111111111111112"},
		{"a time in milliseconds is no bank card", "1700000000004", "1700000000004"},
		{"an IPv4 address", "from 203.0.113.9:80", "from 203.0.113.0:80"},
		{"an IPv6 address", "from [2001:db8:1:2::3]:80", "from [2001:db8:1::]:80"},
		{"a time is no IPv6 address", "10:11:12 and 1.2.3.4.5", "10:11:12 and 1.2.3.4.5"},
		{"several in one text", "13800138000,a@b.cn,10.1.2.3", "138****8000,a***@b.cn,10.1.2.0"},
		{"letters around a number do not hide it", "x13800138000y", "x138****8000y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := cover(c.text, every); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s: got %s, want %s", c.text, got, c.want)
			}
		})
	}
	t.Run("as many bits of an address stay as are asked for", func(t *testing.T) {
		t.Parallel()
		for bits, want := range map[int]string{
			0: "0.0.0.0", 8: "203.0.0.0", 12: "203.0.0.0", 20: "203.0.112.0", 24: "203.0.113.0", 32: "203.0.113.9",
		} {
			got, _ := sensitive.Cover{IPv4: bits}.All(nil, []byte("203.0.113.9"), sensitive.IP)
			if string(got) != want {
				t.Errorf("%d bits: got %s, want %s", bits, got, want)
			}
		}
	})
	t.Run("only the kinds that are asked for", func(t *testing.T) {
		t.Parallel()
		const text = "13800138000 a@b.cn 4111111111111111"
		if got := cover(text, sensitive.Email); got != "13800138000 a***@b.cn 4111111111111111" {
			t.Error(got)
		}
	})
}

// left names what a second reader, with rules of its own, still finds in text.
func left(text string) string {
	for _, run := range regexp.MustCompile(`[0-9]+[xX]?`).FindAllString(text, -1) {
		digits := strings.TrimRight(run, "xX")
		switch n := len(digits); {
		case regexp.MustCompile(`^(86|0086)?1[3-9][0-9]{9}$`).MatchString(digits):
			return "the phone number " + digits
		case n >= 13 && n <= 19 && strings.IndexByte("017", digits[0]) < 0 && sum(digits)%10 == 0:
			return "the bank card " + digits
		}
		if id := run; len(id) == 18 || len(id) == 19 && len(digits) == 18 {
			if id = id[:18]; card(id) {
				return "the identity card " + id
			}
		}
	}
	return ""
}

func sum(digits string) (total int) {
	double := []int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}
	for i := len(digits) - 1; i >= 0; i -= 2 {
		total += int(digits[i] - '0')
		if i > 0 {
			total += double[digits[i-1]-'0']
		}
	}
	return total
}

func card(id string) bool {
	if !regexp.MustCompile(`^[1-9][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9xX]$`).MatchString(id) {
		return false
	}
	total := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		total += int(id[i]-'0') * weight
	}
	return "10X98765432"[total%11] == strings.ToUpper(id)[17]
}

func FuzzMask(f *testing.F) {
	for _, seed := range []string{
		"13800138000", "11010519491231002X", "4111 1111 1111 1111", "a@13800138000.com 1.2.3.4", "+8613800138000", "::1 2001:db8::1",
		"86 138 0013 8000", "4111111111111111@x.y", "+1-415-555-2671 4111111111111111", "110105194912310021", "fe80::13800138000",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := cover(text, every)
		if what := left(got); what != "" {
			t.Fatalf("%q became %q, in which %s is left", text, got, what)
		}
		if numbers := cover(text, every&^sensitive.IP&^sensitive.Email); left(numbers) != "" {
			t.Fatalf("%q became %q", text, numbers)
		}
	})
}
