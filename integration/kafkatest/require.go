package kafkatest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// Require skips the test, and says why and what to do about it, where
// containers of Kafka cannot be had: in a -short run, without a Docker engine,
// or without the image, which is pulled only when it is asked for.
//
// With ETL_REQUIRE_DOCKER=1 nothing is skipped: without an engine the test
// fails, and a missing image is pulled.
func Require(t testing.TB) {
	t.Helper()
	image := Config{}.image()
	needs{
		required: os.Getenv("ETL_REQUIRE_DOCKER") == "1",
		short:    testing.Short(),
		engine:   engine,
		image:    func(ctx context.Context) error { return present(ctx, image) },
	}.check(t)
}

type needs struct {
	required, short bool
	engine, image   func(context.Context) error // nil where it is there
}

func (n needs) check(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if n.short && !n.required {
		t.Skip("runs on Kafka in containers, left out by -short: make integration")
	}
	if err := n.engine(ctx); err != nil {
		err = fmt.Errorf("runs on Kafka in containers and no Docker engine answers: start one, or set DOCKER_HOST (%w)", err)
		if n.required {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if n.required {
		return
	}
	if err := n.image(ctx); err != nil {
		t.Skipf("runs on Kafka in containers: make integration pulls the image, deploy/kafka/build.sh makes one (%v)", err)
	}
}

// engine answers whether there is a Docker engine.
func engine(ctx context.Context) error {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	_, err = docker.Ping(ctx, client.PingOptions{})
	return err
}

// present answers whether the engine has the image.
func present(ctx context.Context, image string) error {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	_, err = docker.ImageInspect(ctx, image)
	return err
}
