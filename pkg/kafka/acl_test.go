package kafka_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestACLs(t *testing.T) {
	t.Parallel()

	t.Run("that are created can be read, in their order, once", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		want := []kafka.ACL{
			{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, Allow: true, ResourceName: "orders"},
			{Principal: "User:alice", Host: "10.0.0.7", Operation: kafka.OperationAlterConfigs, ResourceName: "orders"},
			{Principal: "User:bob", Host: "*", Operation: kafka.OperationAll, Allow: true, ResourceName: "orders"},
		}
		elsewhere := kafka.ACL{Principal: "User:bob", Host: "*", Operation: kafka.OperationWrite, Allow: true, ResourceName: "other"}
		for range 2 { // what is there already is no error
			must(t, c.CreateACLs(deadline(t), []kafka.ACL{want[2], elsewhere, want[0], want[1]}))
		}
		wantACLs(t, c, "orders", want...)
		wantACLs(t, c, "nobodys")
	})

	t.Run("on all topics and on prefixes of the name are those of a topic, too", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, func(request *kmsg.DescribeACLsRequest) kmsg.Response { // kfake's filter knows names alone
			if request.ResourcePatternType != kmsg.ACLResourcePatternTypeMatch || *request.ResourceName != "orders" || request.Principal != nil || request.Host != nil {
				t.Errorf("the filter is %+v", request)
			}
			return describedACLs(
				onTopic("ord", kmsg.ACLResourcePatternTypePrefixed), onTopic("orders", kmsg.ACLResourcePatternTypeLiteral),
				onTopic("orders", kmsg.ACLResourcePatternTypePrefixed), onTopic("*", kmsg.ACLResourcePatternTypeLiteral),
				onTopic("ord", kmsg.ACLResourcePatternTypeLiteral), onTopic("orders2", kmsg.ACLResourcePatternTypePrefixed), // these are not
			)(request)
		})
		on := func(name string, prefixed bool) kafka.ACL {
			return kafka.ACL{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, Allow: true, ResourceName: name, Prefixed: prefixed}
		}
		wantACLs(t, c, "orders", on("*", false), on("ord", true), on("orders", false), on("orders", true))
	})

	t.Run("on prefixes are created as such", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		requests := make(chan *kmsg.CreateACLsRequest, 1)
		observe(fake, func(request *kmsg.CreateACLsRequest) { requests <- request })
		must(t, c.CreateACLs(deadline(t), []kafka.ACL{{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, ResourceName: "ord", Prefixed: true}}))
		creation := kmsg.NewCreateACLsRequestCreation()
		creation.ResourceType, creation.ResourceName, creation.ResourcePatternType = kmsg.ACLResourceTypeTopic, "ord", kmsg.ACLResourcePatternTypePrefixed
		creation.Principal, creation.Host, creation.Operation, creation.PermissionType = "User:alice", "*", kmsg.ACLOperationRead, kmsg.ACLPermissionTypeDeny
		want := kmsg.CreateACLsRequest{Version: 1, Creations: []kmsg.CreateACLsRequestCreation{creation}}
		if got := <-requests; !bytes.Equal(want.AppendTo(nil), got.AppendTo(nil)) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})

	t.Run("of a broker before 2.0 are on topics and on all topics", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "1.1"})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		want := []kafka.ACL{
			{Principal: "User:*", Host: "*", Operation: kafka.OperationDescribe, Allow: true, ResourceName: "*"},
			{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, Allow: true, ResourceName: "orders"},
		}
		must(t, c.CreateACLs(deadline(t), want))
		wantACLs(t, c, "orders", want...)
		err := c.CreateACLs(deadline(t), []kafka.ACL{{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, ResourceName: "o", Prefixed: true}})
		if !errors.Is(err, kafka.ErrUnsupported) || !strings.Contains(err.Error(), "DENY READ on prefixed topic o to User:alice from host *") {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})

	t.Run("cannot be asked of brokers before 0.11", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.10.2"})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		if _, err := c.TopicACLs(deadline(t), "orders"); !errors.Is(err, kafka.ErrUnsupported) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
		if err := c.CreateACLs(deadline(t), []kafka.ACL{{ResourceName: "orders"}}); !errors.Is(err, kafka.ErrUnsupported) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})

	t.Run("of a cluster without an authorizer, or that the user may not see or create, are told apart", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		one := []kafka.ACL{{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, Allow: true, ResourceName: "orders"}}
		for code, want := range map[int16]error{
			kerr.SecurityDisabled.Code:           kafka.ErrNoAuthorizer,
			kerr.ClusterAuthorizationFailed.Code: kafka.ErrAuthorization,
		} {
			refuse(fake, func(request *kmsg.DescribeACLsRequest) kmsg.Response {
				response := request.ResponseKind().(*kmsg.DescribeACLsResponse)
				response.ErrorCode, response.ErrorMessage = code, kmsg.StringPtr("why")
				return response
			})
			if _, err := c.TopicACLs(deadline(t), "orders"); !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "read ACLs of topic orders: ") || !strings.Contains(err.Error(), "why") {
				t.Errorf("error %v, want %v", err, want)
			}
			refuse(fake, createdACLs(code))
			if err := c.CreateACLs(deadline(t), one); !errors.Is(err, want) || !strings.Contains(err.Error(), "ALLOW READ on literal topic orders to User:alice from host *: ") {
				t.Errorf("error %v, want %v", err, want)
			}
		}
	})

	t.Run("are asked for again where the broker is not the controller any more", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, createdACLs(kerr.NotController.Code))
		must(t, c.CreateACLs(deadline(t), []kafka.ACL{{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, ResourceName: "orders"}}))
	})

	t.Run("that none are created need no broker", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		must(t, c.CreateACLs(deadline(t), nil))
	})

	t.Run("are an error where an answer is missing, or of a kind that could not be created again", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, createdACLs())
		if err := c.CreateACLs(deadline(t), []kafka.ACL{{ResourceName: "orders"}}); err == nil {
			t.Error("no error")
		}
		group := onTopic("orders", kmsg.ACLResourcePatternTypeLiteral)
		group.ResourceType = kmsg.ACLResourceTypeGroup
		unknown := onTopic("orders", kmsg.ACLResourcePatternTypeLiteral)
		unknown.ACLs[0].PermissionType = 9
		for _, resource := range []kmsg.DescribeACLsResponseResource{group, unknown, onTopic("orders", 9)} {
			refuse(fake, describedACLs(resource))
			if got, err := c.TopicACLs(deadline(t), "orders"); err == nil {
				t.Errorf("got %v of %+v, want an error", got, resource)
			}
		}
	})
}

// wantACLs looks at those of a topic.
func wantACLs(t *testing.T, c *kafka.Client, topic string, want ...kafka.ACL) {
	t.Helper()
	got, err := c.TopicACLs(deadline(t), topic)
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 || err != nil {
		t.Errorf("error %v, ACLs (-want +got):\n%s", err, diff)
	}
}

// onTopic is an ACL of alice, as a broker tells it.
func onTopic(name string, pattern kmsg.ACLResourcePatternType) kmsg.DescribeACLsResponseResource {
	return kmsg.DescribeACLsResponseResource{
		ResourceType: kmsg.ACLResourceTypeTopic, ResourceName: name, ResourcePatternType: pattern,
		ACLs: []kmsg.DescribeACLsResponseResourceACL{{
			Principal: "User:alice", Host: "*", Operation: kmsg.ACLOperationRead, PermissionType: kmsg.ACLPermissionTypeAllow,
		}},
	}
}

func describedACLs(resources ...kmsg.DescribeACLsResponseResource) func(*kmsg.DescribeACLsRequest) kmsg.Response {
	return func(request *kmsg.DescribeACLsRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.DescribeACLsResponse)
		response.Resources = resources
		return response
	}
}

func createdACLs(codes ...int16) func(*kmsg.CreateACLsRequest) kmsg.Response {
	return func(request *kmsg.CreateACLsRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.CreateACLsResponse)
		for _, code := range codes {
			response.Results = append(response.Results, kmsg.CreateACLsResponseResult{ErrorCode: code, ErrorMessage: kmsg.StringPtr("why")})
		}
		return response
	}
}
