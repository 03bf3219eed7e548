package api

import "slices"

// The number of rows that a list gives where nobody asks for another one, and
// the largest that can be asked for [?].
const (
	defaultLimit = 20
	maxLimit     = 10_000
)

// pageOf sorts a list and gives the part of it that is asked for. order is ASC
// or DESC, offset and limit count rows.
func pageOf[T any](list []T, less func(a, b T) int, order string, offset int, limit *int) ([]T, error) {
	most := defaultLimit
	if limit != nil {
		most = *limit
	}
	switch {
	case order != "ASC" && order != "DESC":
		return nil, refuse("InvalidParameterValue.Order", "Order is %q, want ASC or DESC.", order)
	case offset < 0:
		return nil, refuse("InvalidParameterValue.Offset", "Offset is %d, want 0 or more.", offset)
	case most < 0 || most > maxLimit:
		return nil, refuse("InvalidParameterValue.Limit", "Limit is %d, want 0 to %d.", most, maxLimit)
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b T) int {
		if order == "DESC" {
			return less(b, a)
		}
		return less(a, b)
	})
	from := min(offset, len(sorted))
	return sorted[from:min(from+most, len(sorted))], nil
}
