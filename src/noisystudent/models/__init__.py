"""Networks: any of timm's, a family for 32-pixel images that timm lacks, and folders of trained weights.

Importing this package registers the small networks with timm, so that `timm.create_model("resnet9_16")` knows them.
"""

from noisystudent.models import small_resnets as small_resnets
