"""Golden values of the resize: PyTorch's antialiased bilinear filter, and Pillow's. Writes resize.json beside this file."""
import json, os
import numpy, PIL, torch
from PIL import Image

CASES = [(37, 50, 1, 9, 16), (37, 50, 3, 8, 8), (7, 9, 1, 20, 13), (90, 31, 1, 4, 40)]


def pixels(h, w, c):
    value = lambda k, y, x: (x * 7 + y * 13 + k * 29 + (x * y) % 11 * 9 + ((x * x + 3 * y) % 17) * 5) % 256
    return torch.tensor([[[float(value(k, y, x)) for x in range(w)] for y in range(h)] for k in range(c)])


cases = []
for h, w, c, to_h, to_w in CASES:
    x = pixels(h, w, c)
    y = torch.nn.functional.interpolate(x[None], size=(to_h, to_w), mode="bilinear", antialias=True)[0]
    image = x.permute(1, 2, 0).numpy().astype("uint8")
    image = Image.fromarray(image if c == 3 else image[:, :, 0])
    pillow = numpy.asarray(image.resize((to_w, to_h), Image.BILINEAR))
    cases.append({
        "from": [h, w, c], "to": [to_h, to_w],
        "torch": [round(v, 2) for v in y.permute(1, 2, 0).flatten().tolist()],
        "pillow": pillow.flatten().tolist(),
    })
made_by = f"PyTorch {torch.__version__}, Pillow {PIL.__version__}"
with open(os.path.join(os.path.dirname(__file__), "resize.json"), "w") as out:
    out.write(json.dumps({"madeBy": made_by, "cases": cases}) + "\n")
