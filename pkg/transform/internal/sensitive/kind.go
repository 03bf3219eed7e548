package sensitive

// Kind is a set of kinds of personal data.
type Kind uint8

// The kinds.
const (
	Email    Kind = 1 << iota // RFC 5322 dot-atoms with a domain of two labels or more
	Phone                     // Chinese mobile numbers, and + with 7 to 15 digits (E.164)
	IDCard                    // 18 characters with birthday and check digit, GB 11643-1999
	BankCard                  // 13 to 19 digits with check digit, ISO/IEC 7812
	IP                        // IPv4 in four numbers, IPv6 as in RFC 4291
)

// Kinds are the kinds by the names that a rules file has for them.
func Kinds() map[string]Kind {
	return map[string]Kind{"email": Email, "phone": Phone, "id_card": IDCard, "bank_card": BankCard, "ip": IP}
}

// Match is one find: text[Begin:End] is of one kind.
type Match struct {
	Begin, End int
	Kind       Kind
}
