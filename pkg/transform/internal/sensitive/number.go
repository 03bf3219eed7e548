package sensitive

// numberAt tells what a number is whose first digit is at p, and where it ends.
func numberAt(text []byte, p int, kinds Kind) (end int, kind Kind) {
	end = p + 1
	for end < len(text) && classes[text[end]] == digit {
		end++
	}
	n := text[p:end]
	if kinds&IDCard != 0 {
		if end := idCardAt(text, p, end); end > 0 {
			return end, IDCard
		}
	}
	if kinds&BankCard != 0 {
		if isBankCard(n) {
			return end, BankCard
		}
		if end := groupedCardAt(text, p, end); end > 0 {
			return end, BankCard
		}
	}
	if kinds&Phone != 0 {
		if mobile(n) {
			return end, Phone
		}
		if end := groupedPhoneAt(text, p, end); end > 0 {
			return end, Phone
		}
	}
	return 0, 0
}

// idCardAt returns the end of the identity card in the digits from p to end, which
// an X may follow as the check digit, or 0.
func idCardAt(text []byte, p, end int) int {
	switch {
	case end-p == 17 && end < len(text) && text[end]|0x20 == 'x':
		end++
	case end-p != 18:
		return 0
	}
	if !isIDCard(text[p:end]) {
		return 0
	}
	return end
}

// isIDCard checks region, birthday and check digit: ISO 7064 mod 11-2, where each
// place has the weight 2^(places to its right) mod 11.
func isIDCard(n []byte) bool {
	sum := 0
	for _, d := range n[:17] {
		sum = (sum + int(d-'0')) * 2 % 11
	}
	check := byte('0' + (12-sum)%11)
	if check == '0'+10 {
		check = 'x'
	}
	month, day := int(n[10]-'0')*10+int(n[11]-'0'), int(n[12]-'0')*10+int(n[13]-'0')
	century := string(n[6:8])
	return n[17]|0x20 == check|0x20 && n[0] >= '1' && (century == "18" || century == "19" || century == "20") &&
		1 <= month && month <= 12 && 1 <= day && day <= 31
}

// isBankCard checks length, first digit and check digit. Numbers that begin with
// 0, 1 or 7 are no bank's (ISO/IEC 7812-1), and many of them are times.
func isBankCard(n []byte) bool {
	if len(n) < 13 || len(n) > 19 || n[0] < '2' || n[0] == '7' {
		return false
	}
	return luhn(n)
}

// luhn checks the last digit: every second one from it counts double.
func luhn(n []byte) bool {
	sum := 0
	for i := range n {
		d := int(n[len(n)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// groups reads digits in groups with one space or hyphen between, always the same
// one, from p on. It returns the digits, and the length and the end of each group;
// the first group ends at end.
type groups struct {
	digits [32]byte
	size   int
	count  int
	length [8]int
	end    [8]int
}

func (g *groups) read(text []byte, p, end int) {
	separator := byte(0)
	for {
		if g.size+end-p > len(g.digits) {
			return
		}
		g.length[g.count], g.end[g.count] = end-p, end
		g.count++
		g.size += copy(g.digits[g.size:], text[p:end])
		if g.count == len(g.length) || end+1 >= len(text) || classes[text[end+1]] != digit {
			return
		}
		if s := text[end]; s != ' ' && s != '-' || separator != 0 && s != separator {
			return
		}
		separator = text[end]
		p = end + 1
		for end = p; end < len(text) && classes[text[end]] == digit; end++ {
		}
	}
}

// groupedCardAt returns the end of a card number that is written in the groups that
// cards have printed on them, or 0.
func groupedCardAt(text []byte, p, end int) int {
	if end-p != 4 && end-p != 6 {
		return 0
	}
	var g groups
	g.read(text, p, end)
	size := g.length[0]
	for i := 1; i < g.count; i++ {
		size += g.length[i]
		if printed(g.length[:i+1]) && isBankCard(g.digits[:size]) {
			return g.end[i]
		}
	}
	return 0
}

// printed tells whether groups of these lengths are seen on cards: fours with a
// rest, 4-6-5, 4-6-4 and 6-13.
func printed(length []int) bool {
	last := length[len(length)-1]
	switch {
	case len(length) == 2:
		return length[0] == 6 && last == 13
	case len(length) == 3:
		return length[0] == 4 && length[1] == 6 && (last == 4 || last == 5)
	}
	for _, n := range length[:len(length)-1] {
		if n != 4 {
			return false
		}
	}
	return last <= 4
}
