package mirror_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestCarryACLs(t *testing.T) {
	t.Parallel()
	source, target := pair(t)
	createTopic(t, source, kafka.TopicSpec{Name: "orders"})
	createTopic(t, target, kafka.TopicSpec{Name: "east.orders"})
	acl := func(principal string, operation kafka.Operation, allow bool, topic string) kafka.ACL {
		return kafka.ACL{Principal: "User:" + principal, Host: "*", Operation: operation, Allow: allow, ResourceName: topic}
	}
	if err := source.CreateACLs(testContext(t), []kafka.ACL{
		acl("reader", kafka.OperationRead, true, "orders"),
		acl("writer", kafka.OperationWrite, true, "orders"),
		acl("owner", kafka.OperationAll, true, "orders"),
		acl("nobody", kafka.OperationAll, false, "orders"),
		acl("other", kafka.OperationRead, true, "other"),
	}); err != nil {
		t.Fatal(err)
	}
	carry := func(writers bool, want ...kafka.ACL) {
		t.Helper()
		got, err := mirror.CarryACLs(testContext(t), source, target, "orders", "east.orders", writers)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("carried (-want +got):\n%s", diff)
		}
	}
	// while it is copied: who may do everything may read
	carry(false,
		acl("nobody", kafka.OperationAll, false, "east.orders"),
		acl("owner", kafka.OperationRead, true, "east.orders"),
		acl("owner", kafka.OperationDescribe, true, "east.orders"),
		acl("owner", kafka.OperationDescribeConfigs, true, "east.orders"),
		acl("reader", kafka.OperationRead, true, "east.orders"))
	carry(false) // once is enough
	// at the cut-over: the others
	carry(true,
		acl("owner", kafka.OperationAll, true, "east.orders"),
		acl("writer", kafka.OperationWrite, true, "east.orders"))
}
