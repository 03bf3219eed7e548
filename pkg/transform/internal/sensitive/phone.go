package sensitive

// mobile tells whether digits are a Chinese mobile number, with or without the
// code of the country: 1, 3 to 9, and nine more.
func mobile(n []byte) bool {
	switch {
	case len(n) == 13 && string(n[:2]) == "86":
		n = n[2:]
	case len(n) == 15 && string(n[:4]) == "0086":
		n = n[4:]
	}
	return len(n) == 11 && n[0] == '1' && n[1] >= '3'
}

// groupedPhoneAt returns the end of a Chinese mobile number that is written in
// groups, such as 138-0013-8000, or 0.
func groupedPhoneAt(text []byte, p, end int) int {
	if n := end - p; n > 4 {
		return 0
	}
	var g groups
	g.read(text, p, end)
	size := g.length[0]
	for i := 1; i < g.count && size < 15; i++ {
		if size += g.length[i]; mobile(g.digits[:size]) {
			return g.end[i]
		}
	}
	return 0
}

// internationalAt returns the end of a number of ITU-T E.164 whose + is at p, or 0:
// at most 15 digits, not 0 first, of which some may stand in brackets and in
// groups. At least 7, because shorter ones are no subscriber's.
func internationalAt(text []byte, p int) int {
	digits, end, q := 0, 0, p+1
	if q >= len(text) || text[q] < '1' || text[q] > '9' {
		return 0
	}
	for ; q < len(text); q++ {
		b := text[q]
		if classes[b] == digit {
			digits++
			end = q + 1
			continue
		}
		separated := q > p && classes[text[q-1]] != digit && text[q-1] != ')'
		if b != ' ' && b != '-' && b != '.' && b != '(' && b != ')' || separated && b != '(' || digits >= 15 {
			break
		}
	}
	if digits < 7 {
		return 0
	}
	if digits > 15 {
		return shortened(text, p, end)
	}
	return end
}

// shortened returns the end of the last group with which a number has no more than
// 15 digits. Digits without a gap are taken whole.
func shortened(text []byte, p, end int) int {
	digits, last := 0, 0
	for q := p + 1; q < end; q++ {
		if classes[text[q]] != digit {
			if digits > 15 {
				break
			}
			if classes[text[q-1]] == digit && digits >= 7 {
				last = q
			}
			continue
		}
		digits++
	}
	return last
}
