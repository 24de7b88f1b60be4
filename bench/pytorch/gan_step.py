"""Iterations of GANs in PyTorch eager, two threads, without work that the mathematics does not need: the drawn images of
the discriminator's step serve the generator's too (as do the codes), and no gradients are made for parameters that do not
move. Reads one JSON line {"net": i, "steps": n} at a time, prints seconds."""
import json, sys, time
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, mse_loss

torch.set_num_threads(2)
torch.manual_seed(0)


def trunk(channels, width=64):
    w = [channels, width, 2 * width, 4 * width]
    layers = [nn.Conv2d(w[0], w[1], 4, 2, 1, bias=False), nn.LeakyReLU(.2)]
    for i in (1, 2):
        layers += [nn.Conv2d(w[i], w[i + 1], 4, 2, 1, bias=False), nn.BatchNorm2d(w[i + 1]), nn.LeakyReLU(.2)]
    return layers


class Ganomaly:
    """Akcay et al. 2018 at 32 pixels."""

    def __init__(self, batch, channels, code=100):
        encoder = lambda: nn.Sequential(*trunk(channels), nn.Conv2d(256, code, 4, bias=False))
        self.encoder, self.again = encoder(), encoder()
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(code, 256, 4, bias=False), nn.BatchNorm2d(256), nn.ReLU(),
            nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
            nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
            nn.ConvTranspose2d(64, channels, 4, 2, 1, bias=False), nn.Tanh())
        self.features, self.logit = nn.Sequential(*trunk(channels)), nn.Conv2d(256, 1, 4, bias=False)
        generator, discriminator = nn.ModuleList([self.encoder, self.decoder, self.again]), nn.ModuleList([self.features, self.logit])
        self.discriminator = discriminator
        self.optimizers = [torch.optim.Adam(n.parameters(), 2e-4, betas=(.5, .999)) for n in (generator, discriminator)]
        self.x = torch.rand(batch, channels, 32, 32) * 2 - 1

    def step(self):
        x, (of_generator, of_discriminator) = self.x, self.optimizers
        code = self.encoder(x)
        drawn = self.decoder(code)
        of_discriminator.zero_grad()
        real, fake = (self.logit(self.features(y)) for y in (x, drawn.detach()))
        loss = .5 * (binary_cross_entropy_with_logits(real, torch.ones_like(real)) +
                     binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)))
        loss.backward()
        of_discriminator.step()
        of_generator.zero_grad()
        self.discriminator.requires_grad_(False)
        with torch.no_grad():
            seen = self.features(x)
        loss = mse_loss(self.features(drawn), seen) + 50 * l1_loss(drawn, x) + mse_loss(self.again(drawn), code)
        loss.backward()
        self.discriminator.requires_grad_(True)
        of_generator.step()
        return loss


class Egbad:
    """Zenati et al. 2018 on MNIST, with the moving averages of all weights."""

    def __init__(self, batch, latent=200):
        slope = lambda: nn.LeakyReLU(.1)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 3, 1, 1), slope(), nn.Conv2d(32, 64, 3, 2, 1), nn.BatchNorm2d(64), slope(),
            nn.Conv2d(64, 128, 3, 2, 1), nn.BatchNorm2d(128), slope(), nn.Flatten(), nn.Linear(6272, latent))
        self.generator = nn.Sequential(
            nn.Linear(latent, 1024), nn.BatchNorm1d(1024), nn.ReLU(), nn.Linear(1024, 6272), nn.BatchNorm1d(6272), nn.ReLU(),
            nn.Unflatten(1, (128, 7, 7)), nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
            nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh())
        self.of_image = nn.Sequential(
            nn.Conv2d(1, 64, 4, 2, 1), slope(), nn.Dropout(.5),
            nn.Conv2d(64, 64, 4, 2, 1), nn.BatchNorm2d(64), slope(), nn.Dropout(.5), nn.Flatten())
        self.of_code = nn.Sequential(nn.Linear(latent, 512), slope(), nn.Dropout(.5))
        self.joint = nn.Sequential(nn.Linear(3136 + 512, 1024), slope(), nn.Dropout(.5), nn.Linear(1024, 1))
        self.discriminator = nn.ModuleList([self.of_image, self.of_code, self.joint])
        nets = [self.discriminator, self.generator, self.encoder]
        self.optimizers = [torch.optim.Adam(n.parameters(), 1e-5, betas=(.5, .999)) for n in nets]
        self.weights = [p for n in nets for p in n.parameters()]
        self.averages = [p.detach().clone() for p in self.weights]
        self.x, self.latent = torch.rand(batch, 1, 28, 28) * 2 - 1, latent

    def logits(self, x, z):
        return self.joint(torch.cat([self.of_image(x), self.of_code(z)], 1))

    def step(self):
        x, z = self.x, torch.randn(len(self.x), self.latent)
        of_discriminator, *others = self.optimizers
        made, code = self.generator(z), self.encoder(x)
        of_discriminator.zero_grad()
        real, fake = self.logits(x, code.detach()), self.logits(made.detach(), z)
        one, zero = torch.ones_like(real), torch.zeros_like(real)
        (binary_cross_entropy_with_logits(real, one) + binary_cross_entropy_with_logits(fake, zero)).backward()
        of_discriminator.step()
        for optimizer in others:
            optimizer.zero_grad()
        self.discriminator.requires_grad_(False)
        loss = (binary_cross_entropy_with_logits(self.logits(made, z), one) +
                binary_cross_entropy_with_logits(self.logits(x, code), zero))
        loss.backward()
        self.discriminator.requires_grad_(True)
        for optimizer in others:
            optimizer.step()
        with torch.no_grad():
            torch._foreach_mul_(self.averages, 1 - 1e-3)
            torch._foreach_add_(self.averages, self.weights, alpha=1e-3)
        return loss


cases = [lambda: Ganomaly(64, 1), lambda: Egbad(100)]
built = {}
for line in sys.stdin:
    request = json.loads(line)
    net = built.setdefault(request["net"], None) or cases[request["net"]]()
    built[request["net"]] = net
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(request["steps"]):
        loss = net.step()
    print(json.dumps({"seconds": time.perf_counter() - started, "cpuSeconds": time.process_time() - cpu, "loss": float(loss)}), flush=True)
