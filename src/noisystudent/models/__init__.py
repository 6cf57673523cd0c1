"""Networks: any of timm's, those that the field uses and timm lacks, and folders of trained weights.

Importing this package registers these networks with timm, so that `timm.create_model("resnet9_16")` knows them.
"""

from noisystudent.models import efficientnets as efficientnets
from noisystudent.models import small_resnets as small_resnets
from noisystudent.models import whitened_networks as whitened_networks
